import json
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from mlops_stacks import inference, records, smoke
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.schema import with_exact_types

PACKAGE_FOLDER = str(Path(smoke.__file__).parents[1])
NO_CONNECTION = """
import os, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        os.write(2, f"{event} {arguments}\\n".encode())
        os._exit(99)
sys.addaudithook(refuse)
"""


@pytest.fixture
def version(trained_model, sets, tmp_path) -> str:
    rows = sets.clean_training.head(2000)
    folder = str(tmp_path / "version")
    return mlflow.artifacts.download_artifacts(trained_model(rows, rows[LABEL], 10), dst_path=folder)


class Constant:
    """Stands in for a model: the same answer to each row."""

    def __init__(self, answer: float) -> None:
        self.answer = answer

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), self.answer)


@pytest.fixture
def some(sets) -> pa.Table:
    """Two rows as inference reads them."""
    return pa.Table.from_pandas(sets.clean_test[list(INPUTS)].head(2), preserve_index=False)


def test_the_logged_rows_are_predicted_as_inference_does(version):
    before = records.artifact_digest(version)
    answer = smoke.smoke(version)
    assert records.artifact_digest(version) == before, "it leaves the files as they are"
    model = mlflow.pyfunc.load_model(version)
    logged = model.metadata.load_input_example(version)
    plain = model.predict(with_exact_types(logged))
    assert answer["rows"] == len(logged) == 2
    assert answer["predictions"] == [round(float(found), 4) for found in plain]
    assert answer["mean"] == pytest.approx(plain.mean(), abs=1e-4)


def test_it_goes_through_the_code_of_inference(version, monkeypatch):
    def broken(*_: object) -> None:
        raise MemoryError("inference is broken")

    monkeypatch.setattr(inference, "scored_batch", broken)
    with pytest.raises(MemoryError, match="inference is broken"):
        smoke.smoke(version)


def test_a_version_without_logged_rows_cannot_be_tried(version):
    path = Path(version) / "MLmodel"
    described = yaml.safe_load(path.read_text())
    del described["saved_input_example_info"]
    path.write_text(yaml.safe_dump(described))
    with pytest.raises(smoke.SmokeFailed, match="without an input example"):
        smoke.smoke(version)


def test_what_can_be_no_answer_is_refused(some, sets):
    with pytest.raises(smoke.SmokeFailed, match=f"not a valid {PROBLEM.answer} .*not a number"):
        smoke.predict(Constant(float("nan")), some)
    possible = float(PROBLEM.truth(sets.clean_test[LABEL]).mean())
    assert set(smoke.predict(Constant(possible), some)) == {possible}


def test_rows_that_may_not_be_scored_are_no_sample(some, number):
    empty = some.set_column(some.column_names.index(number), number, [np.full(2, np.nan)])
    with pytest.raises(smoke.SmokeFailed, match="input rules exclude"):
        smoke.predict(Constant(1.0), empty)


def test_an_example_that_is_not_what_inference_gives_is_named(version, number):
    path = Path(version) / "input_example.json"
    text = json.loads(path.read_text())
    text["columns"] = ["another" if name == number else name for name in text["columns"]]
    path.write_text(json.dumps(text))
    with pytest.raises(smoke.SmokeFailed, match=f"no column {number}"):
        smoke.smoke(version)


def run(folder: str, home: Path) -> subprocess.CompletedProcess:
    """As promotion does: a process with nothing in its environment, in an empty folder, without a network."""
    home.mkdir()
    (home / "sitecustomize.py").write_text(NO_CONNECTION)
    proxies = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
    )
    environment = {
        "PYTHONPATH": os.pathsep.join((str(home), PACKAGE_FOLDER)),
        "HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
    } | proxies
    command = [sys.executable, "-m", "mlops_stacks.smoke", "--model", folder]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)


def test_a_process_without_sign_in_or_network_answers_with_one_line(version, tmp_path):
    ended = run(version, tmp_path / "home")
    assert (ended.returncode, ended.stderr.count("Traceback")) == (0, 0), ended.stderr
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert answer.keys() == {"rows", "predictions", "mean"}
    assert set(os.listdir(tmp_path / "home")) == {"sitecustomize.py"}


def test_a_failure_is_one_readable_line(tmp_path, capsys, version):
    (Path(version) / "artifacts" / "trees.txt").write_text("no trees")
    assert smoke.main(["--model", version]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: the model in {version}: LightGBMError: ")
    assert smoke.main(["--model", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: the model in {tmp_path} does not predict: it contains no MLmodel file\n"
