"""Trains the model, logs it with all that explains it, and registers exactly the version that was logged."""

import os
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from mlflow.models.model import ModelInfo

from mlops_stacks import (
    baseline,
    datasets,
    drift,
    features,
    files,
    monitoring,
    records,
    registry,
    tree_model,
)
from mlops_stacks.columns import INPUTS, LABEL, LATER_BY, PROBLEM
from mlops_stacks.ingest import CleanRows, read_clean

if TYPE_CHECKING:
    import lightgbm
    from matplotlib.figure import Figure
    from pyspark.sql import SparkSession


SMALL = 100_000
"""Rows below which trees grow on one thread: several would mostly wait for one another, long on a busy machine. The
number of threads does not change the model."""


@dataclass(frozen=True)
class Settings:
    """What can be tuned. The same settings and data give the same model.

    Attributes:
        rounds: trees to grow.
        learning_rate: how much each tree corrects the ones before it.
        leaves: leaves of a tree at most.
        rows_in_leaf: rows that a leaf needs at least.
        holdout: share of the training rows, the latest ones, that the reported metrics come from.
        seed: of everything random in training.
    """

    rounds: int = 300
    learning_rate: float = 0.06
    leaves: int = 31
    rows_in_leaf: int = 40
    holdout: float = 0.2
    seed: int = 7


@dataclass(frozen=True)
class Trained:
    """What training hands on.

    Attributes:
        run_id: the MLflow run.
        model_uri: where the logged model is.
        model_name: registered name, empty if it was not registered.
        model_version: the version that this very run registered, empty if it was not registered.
        metrics: how good it is, as logged.
        training: the cleaned data.
        figure: the diagnostics, for display.
    """

    run_id: str
    model_uri: str
    model_name: str
    model_version: str
    metrics: dict[str, float]
    training: CleanRows
    figure: "Figure"

    def metrics_table(self) -> pd.DataFrame:
        """One line for each metric, for people to read."""
        return PROBLEM.table(value=self.metrics)

    def summary(self) -> dict[str, object]:
        """What the notebook answers with, as JSON."""
        return {
            "run_id": self.run_id,
            "model_uri": self.model_uri,
            "model_name": self.model_name,
            "model_version": self.model_version,
            "metrics": self.metrics,
        }


def train(
    training_data: str,
    model_name: str = "",
    experiment_name: str = "",
    origin: records.Origin | None = None,
    settings: Settings | None = None,
    session: "SparkSession | None" = None,
) -> Trained:
    """Trains on rows whose label is known, and logs everything to one MLflow run.

    Args:
        training_data: path of a file or folder, or a table's full name (see ingest.py); the test set is another one.
        model_name: registered model to add a version to; empty trains and logs without registering.
        experiment_name: MLflow experiment; empty takes the one that is set.
        origin: the code and job this comes from.
        settings: what to tune.
        session: the Spark session, which a table needs.
    """
    settings, origin = settings or Settings(), origin or records.Origin()
    cleaned = read_clean(training_data, session)
    if experiment_name:
        mlflow.set_experiment(experiment_name)
    tags = origin.tags() | {records.TRAINING_DIGEST: records.dataset_digest(cleaned.digest)}
    with mlflow.start_run(run_name="train", tags=tags) as run:
        early, late = split_by_time(cleaned.frame, settings.holdout)
        trees = fit(early[list(INPUTS)], early[LABEL], settings)
        measured, figure = _judge(trees, early, late)
        _log_inputs(cleaned, training_data, settings, len(early), len(late))
        mlflow.log_metrics(measured)
        mlflow.log_figure(figure, "diagnostics.png")
        kept = {
            monitoring.PROFILE: drift.to_plain(drift.profile(cleaned.frame)),
            monitoring.TRAINING_LOSS: measured[f"holdout_{PROBLEM.primary}"],
        }
        info = log_model(trees, late[list(INPUTS)].head(5), kept)
        number = _register(info, model_name, tags)
    return Trained(run.info.run_id, info.model_uri, model_name, number, measured, cleaned, figure)


def split_by_time(frame: pd.DataFrame, holdout: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits into earlier and later rows, the later ones being the given share (0..1)."""
    in_order = frame.sort_values(LATER_BY, kind="stable") if LATER_BY else frame
    border = int(len(in_order) * (1 - holdout))
    return in_order.iloc[:border], in_order.iloc[border:]


def fit(frame: pd.DataFrame, labels: pd.Series, settings: Settings) -> "lightgbm.Booster":
    """Grows the trees on raw input columns and labels; deterministic."""
    import lightgbm

    parameters = {
        **PROBLEM.parameters,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.rows_in_leaf,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,  # else LightGBM times both ways and picks one, which is not deterministic
        "num_threads": 1 if len(frame) < SMALL else 0,
        "verbosity": -1,
    }
    table = features.Features().fit_transform(frame)
    return lightgbm.train(parameters, lightgbm.Dataset(table, PROBLEM.truth(labels)), num_boost_round=settings.rounds)


def log_model(trees: "lightgbm.Booster", example: pd.DataFrame, metadata: dict[str, object] | None = None) -> ModelInfo:
    """Logs the trees with their features as a model that takes raw columns; needs an active run.

    Args:
        trees: what `fit` grew.
        example: a few rows of raw input columns, kept with the model.
        metadata: kept with the model too, wherever it is copied: what monitoring compares with.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trees.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(trees.model_to_string())
        with files.no_bytecode():  # MLflow runs the model's code once, and would log the compiled files with it
            return mlflow.pyfunc.log_model(
                name="model",
                python_model=tree_model.__file__,
                artifacts={"trees": path, "features": features.__file__},
                signature=ModelSignature(datasets.schema(INPUTS), Schema([ColSpec("double")])),
                input_example=example,
                pip_requirements=requirements(),
                metadata=metadata,
            )


def requirements() -> list[str]:
    """What a process needs to use the model, exactly as installed here (naming it spares MLflow a slow search)."""
    packages = ("mlflow-skinny", "lightgbm", "numpy", "pandas", "scikit-learn")
    return [f"{package}=={installed_version(package)}" for package in packages]


def _judge(trees: "lightgbm.Booster", early: pd.DataFrame, late: pd.DataFrame) -> tuple[dict[str, float], "Figure"]:
    """Measures on the held-out later rows, beside the error on the rows trained on, and draws it."""
    from mlops_stacks import plots

    predict = features.Features()
    truth, predicted = PROBLEM.truth(late[LABEL]), trees.predict(predict.transform(late))
    measured = {f"holdout_{name}": value for name, value in PROBLEM.measure(truth, predicted).items()}
    fitted = PROBLEM.measure(PROBLEM.truth(early[LABEL]), trees.predict(predict.transform(early)))
    measured[f"train_{PROBLEM.primary}"] = fitted[PROBLEM.primary]
    importance = pd.Series(trees.feature_importance("gain"), index=trees.feature_name(), dtype=np.float64)
    return measured, plots.diagnostics(truth, predicted, importance, baseline.slices(late))


def _log_inputs(cleaned: CleanRows, source: str, settings: Settings, early: int, late: int) -> None:
    """Logs the data set, the settings, and what the cleaning did."""
    datasets.log_input("training", source, cleaned.digest, cleaned.frame.columns)
    mlflow.log_params(asdict(settings) | {"training_data": source, "features": ",".join(features.FEATURES)})
    counts = {f"dropped_{rule}": float(rows) for rule, rows in cleaned.dropped.items()}
    rows = {"rows_read": cleaned.rows_read, "rows_trained": early, "rows_holdout": late}
    mlflow.log_metrics(counts | {name: float(value) for name, value in rows.items()})


def _register(info: ModelInfo, model_name: str, tags: dict[str, str]) -> str:
    """Registers the model just logged; returns the number that this very call was given."""
    if not model_name:
        return ""
    registry.use_registry_of(model_name)
    return str(mlflow.register_model(info.model_uri, model_name, tags=tags).version)
