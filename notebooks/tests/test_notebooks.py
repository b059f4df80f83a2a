"""The notebooks themselves, from the first cell to the last, as the jobs run them."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import rules, validation
from mlops_stacks.columns import LABEL
from mlops_stacks.schema import DataRefused

ROOT = Path(__file__).resolve().parents[2]


def assert_keys_of_the_fixture(kind: str, name: str, tags: dict[str, str]) -> None:
    """What the pipeline really writes has the keys that both readers of records are tested on."""
    with open(ROOT / "notebooks" / "tests" / "fixtures" / "records.json", encoding="utf-8") as file:
        (case,) = [case for case in json.load(file)[kind] if case["name"] == name]
    assert {key for key in tags if key.startswith("mlops_")} == case["tags"].keys()


def test_train_validate_deploy_and_score(store, trips, model_name, tmp_path, notebook):
    common = {"model_name": model_name, "experiment_name": store, "git_commit": "c0ffee", "job_run_id": "4711"}
    common |= {
        "git_branch": "topic",
        "git_origin": "https://example.com/a/b.git",
        "job_id": "47",
        "git_edits": "1 edited file",
    }
    train = notebook(training_data=trips.training, **common)
    trained = train.run("Train")
    assert train.values["model_version"] == trained["model_version"] == "1"
    assert [type(shown).__name__ for shown in train.shown] == ["DataFrame", "DataFrame", "Figure"]

    validate = notebook(test_data=trips.test, model_version=trained["model_version"], **common)
    verdict = validate.run("ModelValidation")
    assert (verdict["verdict"], verdict["champion_version"]) == ("passed", "")
    assert all(isinstance(shown, pd.DataFrame) for shown in validate.shown)

    deployed = notebook(model_version=trained["model_version"], **common).run("ModelDeployment")
    assert deployed == {"model_name": model_name, "champion": "1", "previous_champion": "", "changed": True}

    paths = {"inference_input": trips.inference_input, "finished_trips": trips.inference_input, "output": str(tmp_path)}
    infer = notebook(retrain_command="cargo xtask run again", **paths, **common)
    scored = infer.run("BatchInference")
    assert (scored["model_version"], scored["rows"], scored["skipped"]) == ("1", 2000, False)
    assert set(infer.shown[0]["run_id"]) == {"4711"}
    assert (scored["monitoring"]["state"], scored["monitoring"]["retrain_command"]) == (
        "beyond_limits",
        "cargo xtask run again",
    )
    monitored = mlflow.get_run(scored["monitoring"]["run_id"]).data.tags
    tags = MlflowClient().get_model_version(model_name, "1").tags
    assert_keys_of_the_fixture("versions", "deployed", tags)
    assert_keys_of_the_fixture("runs", "training", mlflow.get_run(trained["run_id"]).data.tags)
    assert_keys_of_the_fixture("runs", "validation", mlflow.get_run(verdict["run_id"]).data.tags)
    assert_keys_of_the_fixture("runs", "monitoring", monitored)
    assert (tags["mlops_git_commit"], tags["mlops_verdict"]) == ("c0ffee", "passed")
    assert mlflow.get_run(verdict["run_id"]).data.tags["mlops_job_run_id"] == "4711"


def test_a_rejected_model_fails_the_notebook(register, trips, model_name, monkeypatch, notebook):
    strict = rules.Thresholds(0.99, 0.0, 0.0, 10**9, 0.0, [])
    monkeypatch.setattr(rules, "read_thresholds", lambda: strict)
    rows = trips.clean_training.head(300)
    validate = notebook(test_data=trips.test, model_version=register(rows, rows[LABEL], 2), model_name=model_name)
    with pytest.raises(validation.ModelRejected, match="better_than_distance_alone"):
        validate.run("ModelValidation")
    assert "verdict" not in validate.values


def test_a_table_without_spark_is_refused(store, model_name, notebook):
    infer = notebook(inference_input="a.b.trips", output="a.b.predictions", model_name=model_name)
    with pytest.raises(DataRefused, match="needs a Spark session"):
        infer.run("BatchInference")
    infer = notebook(inference_input="a.b.trips", output="/Volumes/a/b/c/folder", model_name=model_name)
    with pytest.raises(DataRefused, match="must either both be tables"):
        infer.run("BatchInference")
