"""Pictures of a model's errors. matplotlib is loaded only when one is drawn."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlops_stacks.columns import PROBLEM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def diagnostics(
    truth: np.ndarray, predicted: np.ndarray, importance: pd.Series, slices: dict[str, np.ndarray]
) -> "Figure":
    """Three views of the same predictions: the answers, what the trees use, and the deciding metric by slice.

    Args:
        truth: what the predictions are held against (problem.py).
        predicted: the predictions.
        importance: total gain of each feature, indexed by its name.
        slices: which rows belong to each slice.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic([["answers", "gain"], ["slices", "slices"]], figsize=(11, 7.5))
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.14, top=0.95, wspace=0.3, hspace=0.3)
    plt.close(figure)  # a notebook shows open figures by itself, and this one is displayed where it belongs
    _answers(axes["answers"], truth, predicted)
    shares = (importance / importance.sum()).sort_values()
    axes["gain"].barh(shares.index, shares.to_numpy(), color="tab:green")
    axes["gain"].set(title="What the trees use", xlabel="share of the gain")
    name = PROBLEM.primary
    loss = {s: PROBLEM.measure(truth[rows], predicted[rows])[name] for s, rows in slices.items() if rows.any()}
    axes["slices"].bar(list(loss), list(loss.values()), color="tab:orange")
    axes["slices"].set(title="By slice", ylabel=str(PROBLEM.loss))
    axes["slices"].tick_params(axis="x", rotation=30)
    return figure


def _answers(axes: "Axes", truth: np.ndarray, predicted: np.ndarray) -> None:
    """Each prediction's error against the prediction itself, at most 5,000 points; for classes how each is answered."""
    if PROBLEM.objective == "regression":
        step = max(len(truth) // 5000, 1)
        axes.scatter(predicted[::step], (predicted - truth)[::step], s=4, alpha=0.4)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(title="Residuals", xlabel=f"predicted {PROBLEM.answer}", ylabel="predicted - true")
        return
    if PROBLEM.width > 1:
        axes.hist(predicted[np.arange(len(truth)), truth.astype(int)], bins=np.linspace(0, 1, 21))
        axes.set(title="Predicted probability", xlabel=f"probability of the true {PROBLEM.answer}", ylabel="rows")
        return
    for value, name in ((1, PROBLEM.answer), (0, f"no {PROBLEM.answer}")):
        axes.hist(predicted[truth == value], bins=np.linspace(0, 1, 21), alpha=0.6, label=name)
    axes.set(title="Predicted probability", xlabel=f"probability of {PROBLEM.answer}", ylabel="rows")
    axes.legend()


def drift(drifted: pd.Series, limit: float, worst: str, shares: pd.DataFrame) -> "Figure":
    """How far each column has moved, and how the one that moved most is spread now.

    Args:
        drifted: population stability index, by column.
        limit: what the index may be at most.
        worst: the column that moved most.
        shares: its share (0..1) of rows in each part, `training` beside `now`, indexed by the part's name.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8))
    figure.subplots_adjust(left=0.16, right=0.98, bottom=0.22, top=0.9, wspace=0.2)
    plt.close(figure)
    colours = ["tab:red" if value > limit else "tab:green" for value in drifted]
    left.barh(drifted.index, drifted.to_numpy(), color=colours)
    left.axvline(limit, color="black", linewidth=0.8)
    left.set(title="Drift against the training set", xlabel=f"population stability index (limit {limit:g})")
    places = np.arange(len(shares))
    right.bar(places - 0.2, shares["training"], width=0.4, label="training")
    right.bar(places + 0.2, shares["now"], width=0.4, label="now")
    right.set(title=worst, ylabel="share of rows")
    right.set_xticks(places, shares.index, rotation=40, ha="right", fontsize=8)
    right.legend()
    return figure
