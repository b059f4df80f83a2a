import json
import sys

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from mlops_stacks import baseline, columns, files, records, training, versions
from mlops_stacks.columns import PROBLEM


@pytest.fixture(scope="module")
def trained(store, sets):
    origin = records.Origin("abc123", "topic", "https://user:secret@example.com/a/b.git", "11", "22", "1 edited file")
    return training.train(sets.training, "test.unit.training", store, origin, training.Settings(rounds=150))


def test_the_version_handed_on_is_the_one_logged(trained):
    version = MlflowClient().get_model_version("test.unit.training", trained.model_version)
    assert version.run_id == trained.run_id
    assert trained.summary()["model_version"] == trained.model_version


def test_tags_name_code_job_and_data_without_credentials(trained, sets):
    expected = {
        "mlops_git_commit": "abc123",
        "mlops_git_branch": "topic",
        "mlops_git_origin": "https://example.com/a/b.git",
        "mlops_git_edits": "1 edited file",
        "mlops_job_id": "11",
        "mlops_job_run_id": "22",
        "mlops_training_digest": "sha256:" + files.sha256(sets.training),
    }
    run = mlflow.get_run(trained.run_id)
    assert expected.items() <= run.data.tags.items()
    assert expected == dict(MlflowClient().get_model_version("test.unit.training", trained.model_version).tags)


def test_run_has_parameters_metrics_counts_and_a_picture(trained):
    run = mlflow.get_run(trained.run_id)
    assert run.data.params["rounds"] == "150"
    measured = {f"holdout_{metric.name}" for metric in PROBLEM.metrics} | {f"train_{PROBLEM.primary}"}
    assert measured == trained.metrics.keys()
    late = training.split_by_time(trained.training.frame, 0.2)[1]
    simplest = PROBLEM.measure(PROBLEM.truth(late[columns.LABEL]), baseline.predictions(late))
    ours = PROBLEM.loss_of({PROBLEM.primary: run.data.metrics[f"holdout_{PROBLEM.primary}"]})
    assert ours < PROBLEM.loss_of(simplest)
    assert run.data.metrics["rows_read"] == trained.training.rows_read
    dropped = {f"dropped_{rule}": rows for rule, rows in trained.training.dropped.items()}
    assert dropped.items() <= run.data.metrics.items()
    assert run.data.metrics["rows_trained"] + run.data.metrics["rows_holdout"] == len(trained.training.frame)
    assert "diagnostics.png" in [item.path for item in MlflowClient().list_artifacts(trained.run_id)]


def test_training_set_is_an_input_of_the_run(trained, sets):
    (found,) = mlflow.get_run(trained.run_id).inputs.dataset_inputs
    assert [tag.value for tag in found.tags] == ["training"]
    assert found.dataset.name == "training.parquet"
    assert files.sha256(sets.training).startswith(found.dataset.digest)
    assert sets.training in found.dataset.source
    read = json.loads(found.dataset.schema)["mlflow_colspec"]
    assert {column["name"] for column in read} == set(columns.COLUMNS)


def test_model_takes_raw_columns_in_any_order_and_ignores_others(trained, sets):
    with versions.opened("test.unit.training", trained.model_version) as version:
        assert version.inputs == list(columns.INPUTS)
        rows = sets.clean_test.head(300)
        plain = version.predict(rows[list(columns.INPUTS)])
        assert np.array_equal(plain, version.predict(rows[rows.columns[::-1]]))
    assert plain.shape == (300,)


def test_artifacts_name_exact_requirements_and_hold_no_pickle(trained, tmp_path):
    folder = mlflow.artifacts.download_artifacts(trained.model_uri, dst_path=str(tmp_path))
    names = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    with open(f"{folder}/requirements.txt") as file:
        lines = file.read().split()
    assert all("==" in line for line in lines)
    assert any(line.startswith("lightgbm==") for line in lines)
    assert {"trees.txt", "features.py", "tree_model.py"} <= set(names)
    assert not [name for name in names if name.endswith(".pkl")]


def test_digest_of_a_loaded_version_is_that_of_its_files_as_they_are_stored(store, sets, tmp_path, monkeypatch):
    """Running a model's code must not add compiled files: not to the version, and not to what the digest is of."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    rows = sets.clean_training.head(300)
    with mlflow.start_run():
        trees = training.fit(rows[list(columns.INPUTS)], rows[columns.LABEL], training.Settings(rounds=2))
        info = training.log_model(trees, rows[list(columns.INPUTS)].head(2))
    version = str(mlflow.register_model(info.model_uri, "test.unit.digest").version)
    with versions.opened("test.unit.digest", version) as loaded:
        digest = loaded.artifact_digest
    folder = mlflow.artifacts.download_artifacts(f"models:/test.unit.digest/{version}", dst_path=str(tmp_path))
    assert digest == records.artifact_digest(folder)
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".pyc"]
    assert sys.dont_write_bytecode is False


def test_same_data_and_seed_give_the_same_model(sets):
    rows, labels = sets.clean_training[list(columns.INPUTS)], sets.clean_training[columns.LABEL]
    first, again = (training.fit(rows, labels, training.Settings(rounds=30)) for _ in range(2))
    assert first.model_to_string() == again.model_to_string()


def test_holdout_is_later_than_what_is_trained_on(sets):
    early, late = training.split_by_time(sets.clean_training.sample(frac=1, random_state=0), 0.25)
    if columns.LATER_BY:
        assert early[columns.LATER_BY].max() <= late[columns.LATER_BY].min()
    assert len(late) == pytest.approx(0.25 * len(sets.clean_training), abs=1)


def test_training_without_a_name_registers_nothing(store, sets, monkeypatch):
    monkeypatch.setattr(mlflow, "register_model", lambda *_, **__: pytest.fail("registered"))
    trained = training.train(sets.training, settings=training.Settings(rounds=5))
    assert (trained.model_name, trained.model_version) == ("", "")
