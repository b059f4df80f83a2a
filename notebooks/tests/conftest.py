"""A small world for the tests: generated trips, and an MLflow of their own in a temporary folder."""

import os
from collections.abc import Callable
from dataclasses import dataclass

# Before MLflow is imported: nothing outside this machine, and no address that the developer's shell may carry.
for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DATABRICKS_"))]:
    del os.environ[name]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import pandas as pd
import pytest

from mlops_stacks import data, ingest, training

EXPERIMENT = "unit-tests"


@dataclass(frozen=True)
class Trips:
    """Paths of the generated files, and the cleaned training and test sets."""

    training: str
    test: str
    inference_input: str
    clean_training: pd.DataFrame
    clean_test: pd.DataFrame


@pytest.fixture(scope="session")
def trips(tmp_path_factory) -> Trips:
    folder = str(tmp_path_factory.mktemp("data"))
    data.make(folder, rows=8000, seed=5)
    paths = {name: os.path.join(folder, f"{name}.parquet") for name in ("training", "test", "inference_input")}
    clean = {f"clean_{name}": ingest.read_trips(paths[name]).frame for name in ("training", "test")}
    return Trips(**paths, **clean)


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("mlflow")
    address = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    mlflow.create_experiment(EXPERIMENT, artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment(EXPERIMENT)
    return EXPERIMENT


@pytest.fixture
def model_name(request) -> str:
    return f"test.unit.{request.node.name}"


@pytest.fixture
def register(store, model_name) -> Callable[..., str]:
    """Trains on the given rows and fares for real, and registers the model; returns its version."""

    def _register(rows: pd.DataFrame, fares: pd.Series, rounds: int = 120) -> str:
        settings = training.Settings(rounds=rounds)
        with mlflow.start_run():
            trees = training.fit(rows[list(ingest.INPUTS)], fares, settings)
            info = training.log_model(trees, rows[list(ingest.INPUTS)].head(2))
        return str(mlflow.register_model(info.model_uri, model_name).version)

    return _register
