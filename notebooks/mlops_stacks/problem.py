"""The problems that a model may solve, with the metrics of each: their names, their units, and which way is better.

`columns.PROBLEM` says which one this project has. What judges, watches or describes a model asks it, and knows no metric.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa


@dataclass(frozen=True)
class Metric:
    """A number that says how good predictions are.

    Attributes:
        name: as it is logged, behind `candidate_`, `champion_`, `holdout_` and `finished_`.
        title: as people read it.
        unit: of the number; empty where it has none.
        better: which way is better.
        power: over several batches it is the mean of its values to this power; 0 where it cannot be told from them.
    """

    name: str
    title: str
    unit: str = ""
    better: str = "lower"
    power: int = 1

    def __str__(self) -> str:
        """The title with the unit."""
        return f"{self.title} in {self.unit}" if self.unit else self.title


class Problem:
    """What the problems have in common.

    Attributes:
        answer: what is predicted, as people call it.
        metrics: all that are measured.
        primary: the name of the metric that decides: the gate's rules and monitoring hold it against limits.
        objective: LightGBM's.
        width: how many numbers a model predicts for each row. With more than one, predictions are a matrix.
    """

    answer: str
    metrics: tuple[Metric, ...]
    primary: str
    objective: str
    width: int = 1

    def __post_init__(self) -> None:
        """Refuses a primary metric that cannot decide."""
        fit = [metric.name for metric in self.metrics if metric.better in ("lower", "higher")]
        if self.primary not in fit:
            raise ValueError(f"primary is {self.primary!r}; one of these can decide: {', '.join(fit)}")

    @property
    def parameters(self) -> dict[str, object]:
        """What LightGBM has to know of the problem."""
        return {"objective": self.objective}

    @property
    def fields(self) -> list[pa.Field]:
        """The columns that inference adds for a prediction."""
        return [pa.field("prediction", pa.float64())]

    def columns(self, predicted: np.ndarray) -> dict[str, np.ndarray]:
        """The values of `fields`."""
        return {"prediction": predicted}

    def predicted(self, columns: pd.DataFrame) -> np.ndarray:
        """The predictions that `columns` was made of."""
        return columns["prediction"].to_numpy(dtype=float)

    @property
    def loss(self) -> Metric:
        """The metric that decides."""
        return next(metric for metric in self.metrics if metric.name == self.primary)

    @property
    def loss_title(self) -> str:
        """What `loss_of` gives, as people read it."""
        return str(self.loss) if self.loss.better == "lower" else f"1 - {self.loss}"

    def loss_of(self, measured: dict[str, float]) -> float:
        """The number that limits are for, lower being better: the primary metric, or 1 minus one that should be high."""
        found = measured[self.primary]
        return found if self.loss.better == "lower" else 1 - found

    def truth(self, labels: pd.Series) -> np.ndarray:
        """Labels as the numbers that predictions are held against."""
        raise NotImplementedError

    def measure(self, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Every metric; nan where it is not defined, or where a prediction is not a number."""
        raise NotImplementedError

    def impossible(self, predicted: np.ndarray) -> Iterator[tuple[np.ndarray, str]]:
        """Which predictions can be no answer, and why."""
        raise NotImplementedError

    def measure_all(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """`rows`, and every metric that can be told from those of batches: memory use does not grow with the data."""
        rows, totals = 0, {metric: 0.0 for metric in self.metrics if metric.power}
        for truth, predicted in batches:
            if not len(truth):
                continue
            found, rows = self.measure(truth, predicted), rows + len(truth)
            for metric in totals:
                totals[metric] += len(truth) * found[metric.name] ** metric.power
        if not rows:
            return {"rows": 0.0}
        return {"rows": float(rows)} | {m.name: (total / rows) ** (1 / m.power) for m, total in totals.items()}

    def table(self, **sides: dict[str, float]) -> pd.DataFrame:
        """Metrics of one side or of several, one line for each, for people to read; slices stand below their metric."""
        values = {side: pd.Series(measured, dtype=float).round(4) for side, measured in sides.items()}
        table = pd.DataFrame(values, index=list(next(iter(sides.values()))))
        known = [self._metric(name.removeprefix("holdout_").removeprefix("train_")) for name in table.index]
        table["unit"] = [metric.unit for metric in known]
        table["better"] = [metric.better for metric in known]
        return table.rename_axis("metric").reset_index()

    def _metric(self, name: str) -> Metric:
        """The metric of this name, or the one that a slice's number is of: `rmse_night`."""
        return next(metric for metric in self.metrics if f"{name}_".startswith(f"{metric.name}_"))


@dataclass(frozen=True)
class Regression(Problem):
    """Predicts a number.

    Attributes:
        answer: what is predicted: `price`.
        unit: of the label, and so of the errors: `euros`.
        above: an answer is more than this.
        at_most: an answer is not more than this.
        primary: the metric that decides. With RMSE large errors count more than small ones.
    """

    answer: str
    unit: str
    above: float = -np.inf
    at_most: float = np.inf
    primary: str = "rmse"

    objective = "regression"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """In the unit of the label."""
        return (
            Metric("rmse", "RMSE", self.unit, power=2),
            Metric("mae", "mean absolute error", self.unit),
            Metric("bias", "mean error", self.unit, better="near 0"),
            Metric("r2", "R squared", better="higher", power=0),
        )

    def truth(self, labels: pd.Series) -> np.ndarray:
        """The labels themselves."""
        return labels.to_numpy(dtype=float)

    def measure(self, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """RMSE, mean absolute error, bias, and R squared, which is nan where all labels are equal."""
        error = np.asarray(predicted, dtype=float) - np.asarray(truth, dtype=float)
        spread = float(np.var(truth))
        return {
            "rmse": float(np.sqrt(np.mean(error**2))),
            "mae": float(np.mean(np.abs(error))),
            "bias": float(np.mean(error)),
            "r2": float(1 - np.mean(error**2) / spread) if spread > 0 else float("nan"),
        }

    def impossible(self, predicted: np.ndarray) -> Iterator[tuple[np.ndarray, str]]:
        """No number, or one beyond the bounds."""
        yield np.isnan(predicted), "not a number"
        yield predicted <= self.above, f"not more than {self.above:g} {self.unit}"
        yield predicted > self.at_most, f"more than {self.at_most:g} {self.unit}"


@dataclass(frozen=True)
class Classification(Problem):
    """Predicts which of two classes a row belongs to: the probability of one of them.

    Attributes:
        answer: what is predicted: `churn`.
        positive: the label whose probability is predicted: 1, True, or a text.
        negative: the other label.
        primary: the metric that decides.
    """

    answer: str
    positive: object = 1
    negative: object = 0
    primary: str = "log_loss"

    objective = "binary"
    metrics = (
        Metric("log_loss", "log loss"),
        Metric("brier", "Brier score"),
        Metric("accuracy", "accuracy", better="higher"),
        Metric("roc_auc", "area under the ROC curve", better="higher", power=0),
    )

    def truth(self, labels: pd.Series) -> np.ndarray:
        """1 for the class whose probability is predicted, 0 for the other."""
        return (labels == self.positive).to_numpy(dtype=float)

    def measure(self, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Log loss, Brier score, accuracy at one half, and the area under the ROC curve: nan where a class is missing."""
        truth, predicted = np.asarray(truth, dtype=float), np.asarray(predicted, dtype=float)
        likely = np.clip(np.where(truth == 1, predicted, 1 - predicted), 1e-15, 1.0)
        positive, negative = float(np.sum(truth == 1)), float(np.sum(truth == 0))
        ranks = float(pd.Series(predicted).rank().to_numpy()[truth == 1].sum()) - positive * (positive + 1) / 2
        return {
            "log_loss": float(-np.mean(np.log(likely))),
            "brier": float(np.mean((predicted - truth) ** 2)),
            "accuracy": float(np.mean((predicted >= 0.5) == (truth == 1))),
            "roc_auc": ranks / (positive * negative) if positive and negative else float("nan"),
        }

    def impossible(self, predicted: np.ndarray) -> Iterator[tuple[np.ndarray, str]]:
        """No probability."""
        yield np.isnan(predicted), "not a number"
        yield (predicted < 0) | (predicted > 1), "no probability from 0 to 1"


@dataclass(frozen=True)
class Multiclass(Problem):
    """Predicts which of several classes a row belongs to: the probability of each, in the order of `classes`.

    Attributes:
        answer: what is predicted: `plan`.
        classes: the labels, each once.
        primary: the metric that decides.
    """

    answer: str
    classes: tuple[object, ...]
    primary: str = "log_loss"

    objective = "multiclass"
    metrics = (
        Metric("log_loss", "log loss"),
        Metric("brier", "Brier score"),
        Metric("accuracy", "accuracy", better="higher"),
        Metric("balanced_accuracy", "mean recall of the classes", better="higher", power=0),
    )

    @property
    def width(self) -> int:
        """One probability for each class."""
        return len(self.classes)

    @property
    def parameters(self) -> dict[str, object]:
        """LightGBM counts no classes itself."""
        return {"objective": self.objective, "num_class": self.width}

    @property
    def fields(self) -> list[pa.Field]:
        """The most likely class, and the probability of each."""
        probabilities = [pa.field(name, pa.float64()) for name in self._probabilities]
        return [pa.field("prediction", pa.string()), *probabilities]

    @property
    def _probabilities(self) -> list[str]:
        return [f"probability_{label}" for label in self.classes]

    def columns(self, predicted: np.ndarray) -> dict[str, np.ndarray]:
        """The values of `fields`."""
        names = np.array([str(label) for label in self.classes], dtype=object)
        likely = {"prediction": names[np.argmax(predicted, axis=1)]}
        return likely | dict(zip(self._probabilities, predicted.T, strict=True))

    def predicted(self, columns: pd.DataFrame) -> np.ndarray:
        """The predictions that `columns` was made of."""
        return columns[self._probabilities].to_numpy(dtype=float)

    def truth(self, labels: pd.Series) -> np.ndarray:
        """The place of each label in `classes`."""
        places = labels.map({label: place for place, label in enumerate(self.classes)})
        if places.isna().any():
            known = ", ".join(str(label) for label in self.classes)
            raise ValueError(f"the label {labels[places.isna()].iloc[0]!r} is not a class of {self.answer}: {known}")
        return places.to_numpy(dtype=float)

    def measure(self, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """Log loss, Brier score, accuracy, and the mean recall of the classes that occur."""
        predicted, place = np.asarray(predicted, dtype=float), np.asarray(truth, dtype=int)
        right = np.argmax(predicted, axis=1) == place
        likely = np.clip(predicted[np.arange(len(place)), place], 1e-15, 1.0)
        certain = np.eye(self.width)[place]
        return {
            "log_loss": float(-np.mean(np.log(likely))),
            "brier": float(np.mean(np.sum((predicted - certain) ** 2, axis=1))),
            "accuracy": float(np.mean(right)),
            "balanced_accuracy": float(np.mean([np.mean(right[place == one]) for one in np.unique(place)])),
        }

    def impossible(self, predicted: np.ndarray) -> Iterator[tuple[np.ndarray, str]]:
        """No probabilities."""
        yield np.isnan(predicted).any(axis=1), "not a number"
        yield ((predicted < 0) | (predicted > 1)).any(axis=1), "no probability from 0 to 1"
        yield np.abs(predicted.sum(axis=1) - 1) > 1e-3, "the probabilities of its classes do not add up to 1"
