"""Watches a model in use: have the data drifted from the training set, and do the predictions still hold?

Limits are in thresholds.toml, table [monitoring]. Nothing fails here: what was scored stays scored, and whoever reads
the run is told which limit is passed and the command that trains again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import mlflow
import numpy as np
import pandas as pd

from mlops_stacks import datasets, drift, records, versions
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.rules import Check
from mlops_stacks.schema import with_exact_types
from mlops_stacks.thresholds import read_limits

PROFILE, TRAINING_LOSS = "training_profile", f"training_{PROBLEM.primary}"
"""What training keeps in a model's metadata for this: see drift.py, and the loss on its held-out rows."""


@dataclass(frozen=True)
class Limits:
    """The limits in the table [monitoring] of thresholds.toml, which explains them."""

    max_drift: float
    max_loss_over_training: float
    min_rows: int


@dataclass(frozen=True)
class InUse:
    """What a version met since it is in use. Both are read once.

    Attributes:
        scored: the input columns of rows that have a prediction, in batches.
        finished: clean rows whose label is known by now, in batches; none when no labels have arrived. The version
            predicts them once more, and gives the answers it gave before.
        digest: digest of what was scored.
        path: where that is.
    """

    scored: Iterable[pd.DataFrame]
    finished: Iterable[pd.DataFrame]
    digest: str
    path: str


@dataclass(frozen=True)
class Watched:
    """What monitoring found.

    Attributes:
        version: the version that was watched, `<name>/<number>`.
        run_id: the MLflow run with the numbers and the plot.
        checks: each limit with the number it was held against; empty when nothing could be judged.
        metrics: as logged: drift of each column, rows, and how good the predictions were.
        notes: what could not be judged, and why.
        retrain_command: what to type when a limit is passed.
        figure: the plot, None when there is nothing to draw.
    """

    version: str
    run_id: str
    checks: list[Check]
    metrics: dict[str, float]
    notes: list[str]
    retrain_command: str
    figure: object = None

    @property
    def state(self) -> str:
        """`within_limits`, `beyond_limits`, or empty when nothing could be judged."""
        if not self.checks:
            return ""
        return records.WITHIN_LIMITS if all(check.passed for check in self.checks) else records.BEYOND_LIMITS

    @property
    def reason(self) -> str:
        """The limits that are passed, with both numbers."""
        return "; ".join(str(check) for check in self.checks if not check.passed) or "every limit kept"

    def sentence(self) -> str:
        """What was found and what to do about it, for people to read."""
        lines = [f"Monitoring of {self.version}: {self.state.replace('_', ' ') or 'nothing to judge'}"]
        lines += [f"  - {check}" for check in self.checks if not check.passed]
        lines += [f"  - {note}" for note in self.notes]
        if self.state == records.BEYOND_LIMITS:
            lines.append(f"Train again: {self.retrain_command}")
        return "\n".join(lines)

    def summary(self) -> dict[str, object]:
        """What the notebook answers with, as JSON."""
        return {
            "run_id": self.run_id,
            "state": self.state,
            "reason": self.reason,
            "metrics": self.metrics,
            "retrain_command": self.retrain_command if self.state == records.BEYOND_LIMITS else "",
        }


def monitor(
    model_name: str,
    model_version: str,
    in_use: InUse,
    retrain_command: str,
    *,
    experiment_name: str = "",
    origin: records.Origin | None = None,
    limits: Limits | None = None,
) -> Watched:
    """Compares what was scored with what the version was trained on, and logs it to an MLflow run of its own.

    Args:
        model_name: registered model.
        model_version: the version that scored.
        in_use: what it scored, and what is known by now.
        retrain_command: what to type when a limit is passed.
        experiment_name: MLflow experiment; empty takes the one that is set.
        origin: the code and job this comes from.
        limits: by default those of thresholds.toml.
    """
    limits, origin = limits or read_limits(Limits, "monitoring"), origin or records.Origin()
    if experiment_name:
        mlflow.set_experiment(experiment_name)
    about = records.verdict_for(model_name, model_version)
    tags = origin.tags() | {records.MODEL_VERSION: about, records.INPUT_DIGEST: in_use.digest}
    with (
        mlflow.start_run(run_name=f"monitor version {model_version}", tags=tags) as run,
        versions.opened(model_name, model_version) as version,
    ):
        datasets.log_input("inference", in_use.path, in_use.digest.removeprefix("sha256:"), INPUTS)
        kept = version.metadata
        profile = drift.from_plain(kept.get(PROFILE, {}))
        counts = drift.spread(profile, in_use.scored)
        error = errors(version, in_use.finished)
        checks, metrics, notes = _judge(profile, counts, error, kept.get(TRAINING_LOSS), limits)
        figure = _figure(profile, counts, metrics, limits) if profile else None
        found = Watched(about, run.info.run_id, checks, metrics, notes, retrain_command, figure)
        _log(found)
    return found


def errors(model: versions.Version, finished: Iterable[pd.DataFrame]) -> dict[str, float]:
    """How good the predictions were over all batches; only `rows` when there are none."""
    batches = (rows for rows in finished if not rows.empty)
    return PROBLEM.measure_all(
        (PROBLEM.truth(rows[LABEL]), model.predict(with_exact_types(rows[list(INPUTS)]))) for rows in batches
    )


def _judge(
    profile: drift.Profile,
    counts: dict[str, np.ndarray],
    error: dict[str, float],
    training_loss: float | None,
    limits: Limits,
) -> tuple[list[Check], dict[str, float], list[str]]:
    """Holds each number against its limit; numbers of too few rows are logged and not judged."""
    checks, notes = [], []
    drifted = {name: column.stability(counts[name]) for name, column in profile.items()}
    rows = int(max((c.sum() for c in counts.values()), default=0))
    metrics = {f"drift_{name}": value for name, value in drifted.items()} | {"rows_compared": float(rows)}
    if not profile:
        notes.append("drift is not known: the version has no profile of its training set; a newer one will")
    elif rows < limits.min_rows:
        notes.append(f"drift is not judged: {rows} rows, at least {limits.min_rows} are needed")
    else:
        meaning = "population stability index against the training set"
        checks += [Check(f"drift_{name}", value, limits.max_drift, meaning) for name, value in drifted.items()]
    metrics |= {f"finished_{name}": value for name, value in error.items()}
    if error["rows"] == 0:
        notes.append(f"the error is not known: no {PROBLEM.answer} has arrived yet")
    elif PROBLEM.primary not in error:
        notes.append(f"the error is not judged: {PROBLEM.loss} cannot be told from batches of rows")
    elif error["rows"] < limits.min_rows or training_loss is None:
        needed = f"{error['rows']:.0f} rows with a {PROBLEM.answer}, at least {limits.min_rows} are needed"
        notes.append(f"the error is not judged: {'it is not known in training' if training_loss is None else needed}")
    else:
        metrics[TRAINING_LOSS] = training_loss
        then = PROBLEM.loss_of({PROBLEM.primary: training_loss})
        meaning = f"{PROBLEM.loss_title} of rows whose {PROBLEM.answer} is known by now; {then:.4g} in training"
        limit = then * (1 + limits.max_loss_over_training)
        checks.append(Check("error", PROBLEM.loss_of(error), limit, meaning))
    finite = {name: value for name, value in metrics.items() if np.isfinite(value)}
    # A number that is not finite is not below its limit.
    return [replace(check, passed=check.value <= check.limit) for check in checks], finite, notes


def _figure(
    profile: drift.Profile, counts: dict[str, np.ndarray], metrics: dict[str, float], limits: Limits
) -> object | None:
    """The plot of `plots.drift`, when any rows were compared."""
    from mlops_stacks import plots

    if not metrics["rows_compared"]:
        return None
    drifted = pd.Series({name: metrics[f"drift_{name}"] for name in profile})
    worst = str(drifted.idxmax())
    shares = pd.DataFrame(
        {"training": profile[worst].shares, "now": counts[worst] / counts[worst].sum()},
        index=profile[worst].part_names(),
    )
    return plots.drift(drifted, limits.max_drift, worst, shares)


def _log(found: Watched) -> None:
    """Logs numbers and plot; the state last, so that half a record says nothing."""
    mlflow.log_metrics(found.metrics)
    if found.figure is not None:
        mlflow.log_figure(found.figure, "drift.png")
    if found.state:
        mlflow.set_tag(records.MONITORING_REASON, records.shortened(found.reason))
        mlflow.set_tag(records.MONITORING, found.state)
