"""Decides whether a model version may be deployed: candidate and champion on the same test set, by readable rules."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient

from mlops_stacks import baseline, datasets, records, registry, rules, versions
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.ingest import CleanRows, read_clean
from mlops_stacks.rules import Check, Thresholds
from mlops_stacks.schema import DataRefused
from mlops_stacks.versions import Version, VersionFailed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHUFFLE_SEED = 1


class ModelRejected(Exception):
    """The candidate broke a rule. The message names each broken rule with both numbers."""


@dataclass(frozen=True)
class Report:
    """What validation found.

    Attributes:
        model_name: registered model.
        model_version: the candidate's number.
        champion_version: the champion it was compared with, empty for a first model.
        run_id: the MLflow run that holds both sides' metrics.
        checks: every rule that was applied.
        candidate: the candidate's metrics, on the whole and by slice.
        champion: the champion's, empty for a first model, or where it cannot be compared with.
        test: the cleaned test set.
    """

    model_name: str
    model_version: str
    champion_version: str
    run_id: str
    checks: list[Check]
    candidate: dict[str, float]
    champion: dict[str, float]
    test: CleanRows

    @property
    def broken(self) -> list[Check]:
        """The rules that the candidate broke."""
        return [check for check in self.checks if not check.passed]

    @property
    def verdict(self) -> str:
        """`passed` or `rejected`."""
        return records.REJECTED if self.broken else records.PASSED

    def metrics_table(self) -> pd.DataFrame:
        """One line for each metric, both sides, for people to read."""
        return PROBLEM.table(candidate=self.candidate, champion=self.champion)

    def summary(self) -> dict[str, object]:
        """What the notebook answers with, as JSON."""
        return {
            "run_id": self.run_id,
            "model_name": self.model_name,
            "model_version": self.model_version,
            "champion_version": self.champion_version,
            "verdict": self.verdict,
            "metrics": self.candidate,
            "champion_metrics": self.champion,
        }

    def raise_if_rejected(self) -> None:
        """Raises ModelRejected unless every rule was kept."""
        if self.broken:
            lines = "\n".join(f"  - {check}" for check in self.broken)
            raise ModelRejected(
                f"version {self.model_version} of {self.model_name} is rejected. It breaks these rules:\n{lines}\n"
                "The limits are in mlops_stacks/thresholds.toml."
            )


@dataclass(frozen=True)
class Side:
    """A model's predictions for the test set, and how good they are."""

    predicted: np.ndarray
    measured: dict[str, float]


def validate(
    model_name: str,
    model_version: str,
    test_data: str,
    experiment_name: str = "",
    origin: records.Origin | None = None,
    thresholds: Thresholds | None = None,
    *,
    session: "SparkSession | None" = None,
) -> Report:
    """Validates one version and writes the verdict as its tags; call `raise_if_rejected` on what it returns.

    A version that passes gets the alias `challenger`, one that fails loses it.

    Args:
        model_name: registered model.
        model_version: the version to judge: the one that training handed on.
        test_data: path of a file or folder, or a table's full name (see ingest.py); no model trains on it.
        experiment_name: MLflow experiment for the run with the metrics; empty takes the one that is set.
        origin: the code and job this comes from.
        thresholds: the limits; by default those of thresholds.toml.
        session: the Spark session, which a table needs.
    """
    if not (model_name and model_version):
        raise ValueError("validation needs model_name and model_version, as printed by Train")
    registry.use_registry_of(model_name)
    thresholds, origin = thresholds or rules.read_thresholds(), origin or records.Origin()
    test = read_clean(test_data, session)
    refuse_training_data(model_name, model_version, test)
    champion_version = registry.version_of_alias(model_name, records.CHAMPION)
    if champion_version == model_version:  # judged again: it is its own champion, which proves nothing
        champion_version = None
    if experiment_name:
        mlflow.set_experiment(experiment_name)
    tags = origin.tags() | {records.MODEL_VERSION: records.verdict_for(model_name, model_version)}
    with mlflow.start_run(run_name=f"validate version {model_version}", tags=tags) as run, ExitStack() as both:
        candidate = both.enter_context(versions.opened(model_name, model_version))
        champion = both.enter_context(versions.opened(model_name, champion_version)) if champion_version else None
        datasets.log_input("validation", test_data, test.digest, test.frame.columns)
        report = _compare(candidate, champion, test, thresholds, run.info.run_id)
        _log(report)
        _record(report, candidate.artifact_digest)
    return report


def refuse_training_data(model_name: str, model_version: str, test: CleanRows) -> None:
    """Refuses a test set that is the very one the version was trained on."""
    tags = MlflowClient().get_model_version(model_name, model_version).tags
    trained_on = records.read_version(model_name, model_version, tags).training_digest
    if trained_on == records.dataset_digest(test.digest):
        raise DataRefused("test_data is the training set of this version; use other data")


def _compare(
    candidate: Version, champion: Version | None, test: CleanRows, thresholds: Thresholds, run_id: str
) -> Report:
    """Applies the rules in turn. A candidate with forbidden inputs is not even asked for predictions."""
    checks = [rules.input_check(candidate.inputs, INPUTS)]
    ours, theirs = Side(np.array([]), {}), Side(np.array([]), {})
    if checks[0].value <= checks[0].limit:
        truth, loss = PROBLEM.truth(test.frame[LABEL]), PROBLEM.loss_of
        ours = predict_side(candidate, test.frame)
        simplest = PROBLEM.measure(truth, baseline.predictions(test.frame))
        checks.append(rules.leak_check(ours.predicted, without_the_answer(candidate, test.frame), thresholds))
        checks.append(rules.baseline_check(loss(ours.measured), loss(simplest), thresholds))
        if champion:
            try:
                theirs = predict_side(champion, test.frame)
            except VersionFailed as error:
                checks.append(rules.incomparable_check(champion.version, str(error).splitlines()[0], thresholds))
            else:
                rows = baseline.slices(test.frame)
                checks.append(rules.champion_check(loss(ours.measured), loss(theirs.measured), thresholds))
                checks += rules.slice_checks(truth, ours.predicted, theirs.predicted, rows, thresholds)
    checks = rules.judged(checks)
    beside = champion.version if champion else ""
    return Report(candidate.name, candidate.version, beside, run_id, checks, ours.measured, theirs.measured, test)


def predict_side(version: Version, frame: pd.DataFrame) -> Side:
    """Predicts from the version's own inputs alone and measures, overall and by slice."""
    predicted = version.predict(frame[inputs_of(version, frame)])
    truth, loss = PROBLEM.truth(frame[LABEL]), PROBLEM.primary
    measured = PROBLEM.measure(truth, predicted)
    for name, rows in baseline.slices(frame).items():
        if rows.any():
            measured[f"{loss}_{name}"] = PROBLEM.measure(truth[rows], predicted[rows])[loss]
    return Side(predicted, measured)


def inputs_of(version: Version, frame: pd.DataFrame) -> list[str]:
    """The columns that a version takes: a champion may have been trained with others than today's.

    Raises:
        VersionFailed: the test set does not have them.
    """
    missing = version.lacks(frame.columns)
    if missing:
        raise VersionFailed(f"version {version.version} needs {', '.join(missing)}, missing in the test set")
    return [name for name in version.inputs or INPUTS if name in frame.columns]


def without_the_answer(version: Version, frame: pd.DataFrame) -> list[np.ndarray]:
    """Predictions with the columns that are no inputs present and shuffled, and for the rows in another order."""
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(frame))
    shuffled = frame.copy()
    for column in frame.columns.difference(list(INPUTS)):
        shuffled[column] = frame[column].to_numpy()[order]
    back = np.argsort(order)
    reordered = version.predict(frame.iloc[order][list(INPUTS)])[back]
    return [version.predict(frame), version.predict(shuffled), reordered]


def _log(report: Report) -> None:
    """Logs both sides' metrics, what they were measured on, and the table of rules."""
    for side, measured in (("candidate", report.candidate), ("champion", report.champion)):
        mlflow.log_metrics({f"{side}_{name}": value for name, value in measured.items() if np.isfinite(value)})
    mlflow.set_tags(
        {
            records.TEST_DIGEST: records.dataset_digest(report.test.digest),
            records.CHAMPION_AT_VALIDATION: report.champion_version or "none",
            records.VERDICT: report.verdict,
        }
    )
    mlflow.log_table(rules.as_table(report.checks), "rules.json")


def _record(report: Report, artifact_digest: str) -> None:
    """Writes the verdict on the version: evidence first, verdict last, so that half a record says nothing."""
    registry.tag_version(
        report.model_name,
        report.model_version,
        {
            records.ARTIFACT_DIGEST: artifact_digest,
            records.TEST_DIGEST: records.dataset_digest(report.test.digest),
            records.VALIDATION_RUN_ID: report.run_id,
            records.CHAMPION_AT_VALIDATION: report.champion_version or "none",
            records.VERDICT_REASON: "; ".join(str(check) for check in report.broken) or "every rule kept",
            records.VERDICT_FOR: records.verdict_for(report.model_name, report.model_version),
            records.VERDICT: report.verdict,
        },
    )
    if report.verdict == records.PASSED:
        registry.set_alias(report.model_name, records.CHALLENGER, report.model_version)
    elif registry.version_of_alias(report.model_name, records.CHALLENGER) == report.model_version:
        registry.remove_alias(report.model_name, records.CHALLENGER)  # it had passed an earlier validation
