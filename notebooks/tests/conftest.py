"""A small world for the tests: generated trips, and an MLflow of their own in a temporary folder."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

# Before MLflow is imported: nothing outside this machine, and no address that the developer's shell may carry.
for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DATABRICKS_"))]:
    del os.environ[name]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import numpy as np
import pandas as pd
import pytest

from mlops_stacks import columns, data, files, ingest, training, version_process, versions

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = "unit-tests"


class NotebookExit(Exception):
    """What dbutils.notebook.exit does."""


class Notebook:
    """Runs a notebook's cells with the given parameters, and keeps what it shows and hands on."""

    def __init__(self, session: object = None, **parameters: str) -> None:
        self.parameters, self.shown, self.values = parameters, [], {}
        self.session = {"spark": session} if session else {}
        defaults: dict[str, str] = {}
        self.dbutils = SimpleNamespace(
            widgets=SimpleNamespace(
                text=lambda name, value, label="": defaults.setdefault(name, value),
                get=lambda name: self.parameters.get(name, defaults[name]),
            ),
            jobs=SimpleNamespace(taskValues=SimpleNamespace(set=self.values.__setitem__)),
            notebook=SimpleNamespace(exit=self._exit),
        )

    def _exit(self, value: str) -> None:
        raise NotebookExit(value)

    def run(self, name: str) -> dict:
        path = ROOT / "notebooks" / f"{name}.py"
        names = {"dbutils": self.dbutils, "display": self.shown.append, **self.session}
        for cell in path.read_text().split("# COMMAND ----------\n"):
            try:
                exec(compile(cell, path.name, "exec"), names)
            except NotebookExit as ended:
                return json.loads(str(ended))
        raise AssertionError(f"{name} did not end with dbutils.notebook.exit")


@pytest.fixture(scope="session")
def notebook() -> type[Notebook]:
    return Notebook


@dataclass(frozen=True)
class Trips:
    """Paths of the generated files, and the cleaned training and test sets."""

    training: str
    test: str
    inference_input: str
    clean_training: pd.DataFrame
    clean_test: pd.DataFrame


@pytest.fixture(scope="session")
def sample() -> str:
    """400 generated training trips, dirty rows included, that never change: the place for exact numbers."""
    return str(ROOT / "notebooks" / "tests" / "fixtures" / "trips.parquet")


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


class InThisProcess:
    """In place of a version's own process, which takes seconds to start: loads and predicts here, by the same code."""

    def __init__(self, label: str) -> None:
        self.label, self.folder, self.model = label, "", None

    def load(self, folder: str) -> None:
        self.folder = folder

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        try:
            with files.no_bytecode():
                self.model = self.model or version_process.load(self.folder)
            return version_process.predictions(self.model, rows)
        except Exception as error:
            raise versions.failure(f"{self.label}: {type(error).__name__}: {error}", "") from error

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch) -> None:
    """Versions share the process of the tests, but in those marked `processes`."""
    if not request.node.get_closest_marker("processes"):
        monkeypatch.setattr(versions, "Process", InThisProcess)


@pytest.fixture
def model_name(request) -> str:
    return f"test.unit.{request.node.name}"


@pytest.fixture(scope="session")
def trained_model(store) -> Callable[..., str]:
    """Trains on the given rows and fares for real, logs the model and returns its address.

    Training is deterministic, so the same rows, fares and rounds are trained once, whichever tests ask.
    """
    known: dict[tuple[int, ...], str] = {}

    def _trained_model(rows: pd.DataFrame, fares: pd.Series, rounds: int) -> str:
        content = pd.util.hash_pandas_object(rows.assign(fares=fares), index=False)
        key = (hash(content.to_numpy().tobytes()), rounds)
        if key not in known:
            with mlflow.start_run():
                trees = training.fit(rows[list(columns.INPUTS)], fares, training.Settings(rounds=rounds))
                known[key] = training.log_model(trees, rows[list(columns.INPUTS)].head(2)).model_uri
        return known[key]

    return _trained_model


@pytest.fixture
def register(trained_model, model_name) -> Callable[..., str]:
    """Registers a model of the given rows and fares as a new version; returns its number."""

    def _register(rows: pd.DataFrame, fares: pd.Series, rounds: int = 120) -> str:
        return str(mlflow.register_model(trained_model(rows, fares, rounds), model_name).version)

    return _register
