"""The rules a candidate must keep, each with the number it has and the number it may have at most."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models.evaluation import EvaluationResult, MetricThreshold
from mlflow.models.evaluation.validation import ModelValidationFailedException

from mlops_stacks import baseline
from mlops_stacks.columns import PROBLEM
from mlops_stacks.thresholds import THRESHOLDS_FILE, read_limits


@dataclass(frozen=True)
class Thresholds:
    """The limits in the table [validation] of thresholds.toml, which explains them."""

    min_gain_over_baseline: float
    max_loss_over_champion: float
    max_slice_loss_over_champion: float
    min_slice_rows: int
    max_change_without_unknown_columns: float
    replaced_without_comparison: list[int]


def read_thresholds(path: str | Path = THRESHOLDS_FILE) -> Thresholds:
    """Reads the table [validation] of the file."""
    return read_limits(Thresholds, "validation", path)


@dataclass(frozen=True)
class Check:
    """One rule applied to one candidate: kept when `value` is at most `limit`.

    Attributes:
        rule: its name, stable, for tags and logs.
        value: the candidate's number.
        limit: what it may be at most.
        explanation: what both numbers are.
        passed: whether the rule was kept; `judged` decides.
    """

    rule: str
    value: float
    limit: float
    explanation: str
    passed: bool = False

    def __str__(self) -> str:
        """The rule with both numbers, in one line."""
        return f"{self.rule}: {self.value:.6g}, at most {self.limit:.6g} allowed ({self.explanation})"


def input_check(inputs: list[str] | None, allowed: tuple[str, ...]) -> Check:
    """The model's signature names nothing but allowed inputs; a model without signature hides what it takes."""
    if inputs is None:
        return Check("inputs_known_beforehand", 1.0, 0.0, "the model has no signature that names its inputs")
    unknown = [name for name in inputs if name not in allowed]
    named = f"inputs that are not known when the model is asked: {', '.join(unknown) or 'none'}"
    return Check("inputs_known_beforehand", float(len(unknown)), 0.0, named)


def leak_check(whole: np.ndarray, alternatives: list[np.ndarray], thresholds: Thresholds) -> Check:
    """Predictions do not move when columns that are no inputs are shuffled or absent."""
    change = max(float(np.max(np.abs(whole - other))) for other in alternatives)
    explanation = "largest change of a prediction when the label and other columns are shuffled or taken away"
    return Check("predictions_ignore_the_answer", change, thresholds.max_change_without_unknown_columns, explanation)


def baseline_check(loss: float, baseline_loss: float, thresholds: Thresholds) -> Check:
    """Better than the baseline, by a margin."""
    limit = baseline_loss * (1 - thresholds.min_gain_over_baseline)
    explanation = f"{PROBLEM.loss_title}; {baseline.NAME} has {baseline_loss:.4g}"
    return Check(f"better_than_{baseline.NAME.replace(' ', '_')}", loss, limit, explanation)


def champion_check(loss: float, champion_loss: float, thresholds: Thresholds) -> Check:
    """Not worse than the champion on the whole."""
    limit = champion_loss * (1 + thresholds.max_loss_over_champion)
    return Check("not_worse_than_champion", loss, limit, f"{PROBLEM.loss_title}; the champion has {champion_loss:.4g}")


def incomparable_check(champion: str, reason: str, thresholds: Thresholds) -> Check:
    """Only a champion that is named in thresholds.toml is replaced by a version that cannot be compared with it."""
    allowed = champion in map(str, thresholds.replaced_without_comparison)
    way_on = (
        "thresholds.toml lets it be replaced without comparison"
        if allowed
        else f"to replace it all the same, name {champion} in replaced_without_comparison of thresholds.toml"
    )
    explanation = f"champions that cannot be compared with: {reason}; {way_on}"
    return Check("comparable_with_champion", 1.0, float(allowed), explanation)


def slice_checks(
    truth: np.ndarray,
    candidate: np.ndarray,
    champion: np.ndarray,
    slices: dict[str, np.ndarray],
    thresholds: Thresholds,
) -> list[Check]:
    """Not much worse than the champion on any slice that has enough rows."""
    checks = []
    for name, rows in slices.items():
        if int(rows.sum()) < thresholds.min_slice_rows:
            continue
        ours, best = (PROBLEM.loss_of(PROBLEM.measure(truth[rows], side[rows])) for side in (candidate, champion))
        limit = best * (1 + thresholds.max_slice_loss_over_champion)
        checks.append(Check(f"slice_{name}", ours, limit, f"{PROBLEM.loss_title}; the champion has {best:.4g}"))
    return checks


def judged(checks: list[Check]) -> list[Check]:
    """The same checks with `passed` decided."""
    if _kept(checks):
        return [replace(check, passed=True) for check in checks]
    return [replace(check, passed=_kept([check])) for check in checks]


def _kept(checks: list[Check]) -> bool:
    """Asks MLflow's own validation whether all of these are kept. A number that is not finite never is."""
    if not all(math.isfinite(check.value) for check in checks):
        return False
    thresholds = {c.rule: MetricThreshold(threshold=float(c.limit), greater_is_better=False) for c in checks}
    result = EvaluationResult(metrics={check.rule: check.value for check in checks}, artifacts={}, run_id="")
    try:
        mlflow.validate_evaluation_results(thresholds, result)
    except ModelValidationFailedException:
        return False
    return True


def as_table(checks: list[Check]) -> pd.DataFrame:
    """One line for each rule, for people to read."""
    rows = [
        {
            "rule": check.rule,
            "kept": "yes" if check.passed else "NO",
            "value": round(check.value, 4),
            "at most": round(check.limit, 4),
            "meaning": check.explanation,
        }
        for check in checks
    ]
    return pd.DataFrame(rows)
