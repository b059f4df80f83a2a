"""A small world for the tests: the data sets that `data make` writes, and an MLflow of their own in a temporary folder."""

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
from mlops_stacks.kinds import NUMBER

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
class DataSets:
    """Paths of the data sets, and the cleaned training and test sets."""

    training: str
    test: str
    inference_input: str
    clean_training: pd.DataFrame
    clean_test: pd.DataFrame


@pytest.fixture(scope="session")
def sets(tmp_path_factory) -> DataSets:
    folder = str(tmp_path_factory.mktemp("data"))
    data.make(folder, rows=8000, seed=5)
    paths = {name: os.path.join(folder, f"{name}.parquet") for name in ("training", "test", "inference_input")}
    clean = {f"clean_{name}": ingest.read_clean(paths[name]).frame for name in ("training", "test")}
    return DataSets(**paths, **clean)


@pytest.fixture(scope="session")
def number() -> str:
    """An input that is a number."""
    numbers = [name for name in columns.INPUTS if columns.COLUMNS[name] is NUMBER]
    return numbers[0] if numbers else pytest.skip("needs an input of the kind NUMBER")


@pytest.fixture(scope="session")
def no_input() -> str:
    """A column that is read, and neither an input nor the label."""
    others = [name for name in columns.COLUMNS if name not in (*columns.INPUTS, columns.LABEL)]
    return others[0] if others else pytest.skip("needs a column that is neither an input nor the label")


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


@dataclass
class Journey:
    """The notebooks, run one after the other as the jobs run them: what each was, and what it answered."""

    model_name: str
    notebooks: dict[str, Notebook]
    answers: dict[str, dict]


@pytest.fixture(scope="session")
def journey(store, sets, tmp_path_factory) -> Journey:
    """Trains, validates, deploys and scores for real, in this process."""
    name = "test.unit.journey"
    common = {"model_name": name, "experiment_name": store, "git_commit": "c0ffee", "git_branch": "topic"}
    common |= {"git_origin": "https://example.com/a/b.git", "git_edits": "1 edited file"}
    common |= {"job_id": "47", "job_run_id": "4711", "model_version": "1"}
    common |= {"training_data": sets.training, "test_data": sets.test, "retrain_command": "cargo xtask run again"}
    common |= {"inference_input": sets.inference_input, "finished_rows": sets.inference_input}
    common |= {"output": str(tmp_path_factory.mktemp("predictions"))}
    steps = ("Train", "ModelValidation", "ModelDeployment", "BatchInference")
    notebooks = {step: Notebook(**common) for step in steps}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "Process", InThisProcess)
        return Journey(name, notebooks, {step: notebooks[step].run(step) for step in steps})


@pytest.fixture
def model_name(request) -> str:
    return f"test.unit.{request.node.name}"


@pytest.fixture(scope="session")
def trained_model(store) -> Callable[..., str]:
    """Trains on the given rows and labels for real, logs the model and returns its address.

    Training is deterministic, so the same rows, labels and rounds are trained once, whichever tests ask.
    """
    known: dict[tuple[int, ...], str] = {}

    def _trained_model(rows: pd.DataFrame, labels: pd.Series, rounds: int) -> str:
        content = pd.util.hash_pandas_object(rows.assign(_labels=labels), index=False)
        key = (hash(content.to_numpy().tobytes()), rounds)
        if key not in known:
            with mlflow.start_run():
                trees = training.fit(rows[list(columns.INPUTS)], labels, training.Settings(rounds=rounds))
                known[key] = training.log_model(trees, rows[list(columns.INPUTS)].head(2)).model_uri
        return known[key]

    return _trained_model


@pytest.fixture
def register(trained_model, model_name) -> Callable[..., str]:
    """Registers a model of the given rows and labels as a new version; returns its number."""

    def _register(rows: pd.DataFrame, labels: pd.Series, rounds: int = 120) -> str:
        return str(mlflow.register_model(trained_model(rows, labels, rounds), model_name).version)

    return _register
