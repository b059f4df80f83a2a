"""Pictures of a model's errors. matplotlib is loaded only when one is drawn."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def diagnostics(trips: pd.DataFrame, fares: np.ndarray, predicted: np.ndarray, importance: pd.Series) -> "Figure":
    """Four views of the same predictions: residuals, what the trees use, error by hour and error by distance.

    Args:
        trips: the raw input columns.
        fares: true fares in dollars.
        predicted: predicted fares in dollars.
        importance: total gain of each feature, indexed by its name.
    """
    import matplotlib.pyplot as plt

    error = predicted - fares
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.5))
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.08, top=0.95, wspace=0.3, hspace=0.3)
    plt.close(figure)  # a notebook shows open figures by itself, and this one is displayed where it belongs
    (top_left, top_right), (bottom_left, bottom_right) = axes
    _residuals(top_left, predicted, error)
    shares = (importance / importance.sum()).sort_values()
    top_right.barh(shares.index, shares.to_numpy(), color="tab:green")
    top_right.set(title="What the trees use", xlabel="share of the gain")
    hours = trips["tpep_pickup_datetime"].dt.hour
    _mean_error(bottom_left, hours, error, "Error by hour of pick-up", "hour")
    miles = np.minimum(np.floor(trips["trip_distance"]), 20)
    _mean_error(bottom_right, miles, error, "Error by distance", "miles (20: 20 and more)")
    return figure


def _residuals(axes: "Axes", predicted: np.ndarray, error: np.ndarray) -> None:
    """Each prediction's error against the prediction itself; at most 5,000 points."""
    step = max(len(error) // 5000, 1)
    axes.scatter(predicted[::step], error[::step], s=4, alpha=0.4)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(title="Residuals", xlabel="predicted fare ($)", ylabel="predicted - true ($)")


def _mean_error(axes: "Axes", groups: pd.Series, error: np.ndarray, title: str, label: str) -> None:
    """Mean absolute error in each group, as bars."""
    by_group = pd.Series(np.abs(error)).groupby(np.asarray(groups)).mean()
    axes.bar(by_group.index, by_group.to_numpy(), color="tab:orange")
    axes.set(title=title, xlabel=label, ylabel="mean absolute error ($)")


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


def part_names(borders: list[float]) -> list[str]:
    """A name for each part that these borders make: `< 1.2`, `1.2 - 3`, ..., `>= 9`."""
    if not borders:
        return ["all"]
    between = [f"{low:.6g} - {high:.6g}" for low, high in pairwise(borders)]
    return [f"< {borders[0]:.6g}", *between, f">= {borders[-1]:.6g}"]
