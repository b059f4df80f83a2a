"""Each version runs its own code, in a process of its own, and says so when that fails."""

import io
import sys
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import datasets, version_process, versions
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.validation import validate
from mlops_stacks.versions import VersionFailed

pytestmark = pytest.mark.processes

MODEL = """
import mlflow
from corrections import OFFSET
from mlops_stacks import OFFSET as MORE

class Line(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        print("a model may print")
        return [0.25 + OFFSET + MORE] * len(model_input)

mlflow.models.set_model(Line())
"""


@pytest.fixture
def saved(store, tmp_path, monkeypatch):
    """Logs a model that brings a module `corrections`, and a package of the name of this one; returns its address.

    To log it, MLflow runs its code once: here without leaving a module behind.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    def _saved(offset: float) -> str:
        folder = tmp_path / f"project{offset}"
        (folder / "mlops_stacks").mkdir(parents=True)
        (folder / "corrections.py").write_text(f"OFFSET = {offset}\n")
        (folder / "mlops_stacks" / "__init__.py").write_text(f"OFFSET = {offset * 10}\n")
        (folder / "model.py").write_text(MODEL)
        brought = ("corrections.py", "mlops_stacks")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            ours = ("mlops_stacks", "corrections")
            for name in [name for name in sys.modules if name.split(".")[0] in ours]:
                patch.delitem(sys.modules, name)
            with mlflow.start_run():
                info = mlflow.pyfunc.log_model(
                    name="model",
                    python_model=str(folder / "model.py"),
                    code_paths=[str(folder / name) for name in brought],
                    signature=ModelSignature(datasets.schema(INPUTS), Schema([ColSpec("double")])),
                    pip_requirements=["numpy"],
                )
            for name in ours:
                sys.modules.pop(name, None)
        return info.model_uri

    return _saved


def test_champion_and_candidate_are_judged_by_their_own_code(saved, model_name, sets, capsys):
    for offset in (0.0, 0.05):
        mlflow.register_model(saved(offset), model_name)
    MlflowClient().set_registered_model_alias(model_name, "champion", "1")
    report = validate(model_name, "2", sets.test)
    truth = PROBLEM.truth(report.test.frame[LABEL])
    for found, answer in ((report.champion, 0.25), (report.candidate, 0.25 + 0.05 + 0.5)):
        expected = PROBLEM.measure(truth, np.full(len(truth), answer))
        assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert "a model may print" in capsys.readouterr().err


def test_a_process_that_ends_by_itself_is_explained_and_what_it_said_is_kept(monkeypatch, tmp_path, capsys):
    script = tmp_path / "killed.py"
    script.write_text("import os, sys\nprint('loading', file=sys.stderr, flush=True)\nos.kill(os.getpid(), 9)\n")
    monkeypatch.setattr(version_process, "__file__", str(script))
    process = versions.Process("version 3 of a.b.c")
    process.load("/folder")
    with pytest.raises(
        VersionFailed, match=r"version 3 of .* was killed by SIGKILL, probably out of memory.*\nloading"
    ):
        process.predict(pd.DataFrame({"x": [1.0]}))
    process.close()
    assert capsys.readouterr().err == "loading\n"


class Fake:
    """Stands in for a loaded model."""

    def predict(self, rows: pd.DataFrame) -> list[float]:
        if len(rows) == 1:
            raise ModuleNotFoundError("No module named 'theirs'", name="theirs")
        return [1.5] * min(len(rows), 2)


def ask(monkeypatch, model: object, *rows: pd.DataFrame) -> versions.Process:
    """What a process answers, without one: its side of the conversation held here."""
    monkeypatch.setattr(version_process, "load", lambda folder: model or 1 / 0)
    requests, replies = io.BytesIO(), io.BytesIO()
    for request in (b"/folder", *(versions.as_bytes(frame) for frame in rows)):
        version_process.send(requests, request)
    requests.seek(0)
    version_process.serve(requests, replies)
    replies.seek(0)
    process = versions.Process.__new__(versions.Process)
    process.label, process._loading = "version 3 of a.b.c", True
    process._process = SimpleNamespace(stdin=io.BytesIO(), stdout=replies)
    return process


def test_what_the_code_of_a_version_raises_is_told_with_the_version_and_what_to_do(monkeypatch):
    two, one, three = (pd.DataFrame({"name": ["a"] * rows}) for rows in (2, 1, 3))
    process = ask(monkeypatch, Fake(), two, one, three)
    assert process.predict(two).tolist() == [1.5, 1.5]
    with pytest.raises(
        VersionFailed, match=r"version 3 of a\.b\.c does not predict: ModuleNotFoundError: No"
    ) as raised:
        process.predict(one)
    assert "requirements.txt lists its packages" in str(raised.value)
    assert "in predict" in raised.value.__notes__[0]
    with pytest.raises(VersionFailed, match="ValueError: 2 predictions for 3 rows"):
        process.predict(three)
    with pytest.raises(VersionFailed, match="cannot be loaded: ZeroDivisionError"):
        ask(monkeypatch, None, two).predict(two)
