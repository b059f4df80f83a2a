import json
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import columns, data, features, files, records, training, versions


@pytest.fixture(scope="module")
def trained(store, trips):
    origin = records.Origin("abc123", "topic", "https://user:secret@example.com/a/b.git", "11", "22", "1 edited file")
    return training.train(trips.training, "test.unit.training", store, origin, training.Settings(rounds=150))


def test_the_version_handed_on_is_the_one_logged(trained):
    version = MlflowClient().get_model_version("test.unit.training", trained.model_version)
    assert version.run_id == trained.run_id
    assert trained.summary()["model_version"] == trained.model_version


def test_tags_name_code_job_and_data_without_credentials(trained, trips):
    expected = {
        "mlops_git_commit": "abc123",
        "mlops_git_branch": "topic",
        "mlops_git_origin": "https://example.com/a/b.git",
        "mlops_git_edits": "1 edited file",
        "mlops_job_id": "11",
        "mlops_job_run_id": "22",
        "mlops_training_digest": "sha256:" + files.sha256(trips.training),
    }
    run = mlflow.get_run(trained.run_id)
    assert expected.items() <= run.data.tags.items()
    assert expected == dict(MlflowClient().get_model_version("test.unit.training", trained.model_version).tags)


def test_run_has_parameters_metrics_counts_and_a_picture(trained):
    run = mlflow.get_run(trained.run_id)
    assert run.data.params["rounds"] == "150"
    assert data.NOISE_DOLLARS * 0.95 < run.data.metrics["holdout_rmse"] < 4.0
    assert run.data.metrics["rows_read"] == 8000
    assert run.data.metrics["dropped_no_fare"] == trained.training.dropped["no_fare"] > 0
    assert run.data.metrics["rows_trained"] + run.data.metrics["rows_holdout"] == len(trained.training.frame)
    assert "diagnostics.png" in [item.path for item in MlflowClient().list_artifacts(trained.run_id)]


def test_training_set_is_an_input_of_the_run(trained, trips):
    (found,) = mlflow.get_run(trained.run_id).inputs.dataset_inputs
    assert [tag.value for tag in found.tags] == ["training"]
    assert found.dataset.name == "training.parquet"
    assert files.sha256(trips.training).startswith(found.dataset.digest)
    assert trips.training in found.dataset.source
    read = json.loads(found.dataset.schema)["mlflow_colspec"]
    assert {column["name"] for column in read} == set(columns.COLUMNS)


def test_model_takes_raw_columns_in_any_order_and_ignores_others(trained, trips):
    with versions.opened("test.unit.training", trained.model_version) as version:
        assert version.inputs == list(columns.INPUTS)
        rows = trips.clean_test.head(300)
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


def test_digest_of_a_loaded_version_is_that_of_its_files_as_they_are_stored(store, trips, tmp_path, monkeypatch):
    """Running a model's code must not add compiled files: not to the version, and not to what the digest is of."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    rows = trips.clean_training.head(300)
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


def test_same_data_and_seed_give_the_same_model(trips):
    rows, fares = trips.clean_training[list(columns.INPUTS)], trips.clean_training[columns.LABEL]
    first, again = (training.fit(rows, fares, training.Settings(rounds=30)) for _ in range(2))
    assert first.model_to_string() == again.model_to_string()


def test_holdout_is_later_than_what_is_trained_on(trips):
    early, late = training.split_by_time(trips.clean_training.sample(frac=1, random_state=0), 0.25)
    assert early["tpep_pickup_datetime"].max() <= late["tpep_pickup_datetime"].min()
    assert len(late) == pytest.approx(0.25 * len(trips.clean_training), abs=1)


def test_features_of_a_known_trip():
    trip = pd.DataFrame(
        {
            "tpep_pickup_datetime": [pd.Timestamp("2025-08-02 17:30")],  # a Saturday
            "trip_distance": [2.5],
            "pickup_zip": [10001],
            "dropoff_zip": [11201],
        }
    )
    row = features.Features().fit_transform(trip).iloc[0].to_dict()
    assert row == {
        "trip_distance": 2.5,
        "hour": 17,
        "minute_of_day": 1050,
        "weekday": 5,
        "is_workday": 0,
        "pickup_zip": 10001,
        "dropoff_zip": 11201,
        "pickup_area": 100,
        "dropoff_area": 112,
        "same_area": 0,
    }


def test_training_without_a_name_registers_nothing(store, trips, monkeypatch):
    monkeypatch.setattr(mlflow, "register_model", lambda *_, **__: pytest.fail("registered"))
    trained = training.train(trips.training, settings=training.Settings(rounds=5))
    assert (trained.model_name, trained.model_version) == ("", "")
