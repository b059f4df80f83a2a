"""The notebooks themselves, from the first cell to the last, as the jobs run them."""

import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from mlops_stacks import baseline, records, rules, validation
from mlops_stacks.columns import LABEL
from mlops_stacks.schema import DataRefused


def test_train_validate_deploy_and_score(journey, sets):
    train, validate, infer = (journey.notebooks[name] for name in ("Train", "ModelValidation", "BatchInference"))
    trained, verdict, deployed, scored = journey.answers.values()
    assert train.values["model_version"] == trained["model_version"] == "1"
    assert [type(shown).__name__ for shown in train.shown] == ["DataFrame", "DataFrame", "Figure"]
    assert (verdict["verdict"], verdict["champion_version"]) == ("passed", "")
    assert all(isinstance(shown, pd.DataFrame) for shown in validate.shown)
    assert deployed == {"model_name": journey.model_name, "champion": "1", "previous_champion": "", "changed": True}
    assert (scored["model_version"], scored["skipped"]) == ("1", False)
    assert scored["rows"] == pq.read_metadata(sets.inference_input).num_rows
    assert set(infer.shown[0]["run_id"]) == {"4711"}
    again = "cargo xtask run again" if scored["monitoring"]["state"] == "beyond_limits" else ""
    assert scored["monitoring"]["retrain_command"] == again


def test_every_record_is_written(journey):
    runs = [journey.answers[name]["run_id"] for name in ("Train", "ModelValidation")]
    runs.append(journey.answers["BatchInference"]["monitoring"]["run_id"])
    tags = MlflowClient().get_model_version(journey.model_name, "1").tags
    assert (tags["mlops_git_commit"], tags["mlops_verdict"]) == ("c0ffee", "passed")
    found = [tags, *(mlflow.get_run(run).data.tags for run in runs)]
    assert {tag[records.JOB_RUN_ID] for tag in found} == {"4711"}
    written = {key for tag in found for key in tag if key.startswith("mlops_")}
    assert written == {value for name, value in vars(records).items() if name.isupper() and f"{value}"[:6] == "mlops_"}


def test_a_rejected_model_fails_the_notebook(register, sets, model_name, monkeypatch, notebook):
    strict = rules.Thresholds(0.99, 0.0, 0.0, 10**9, 0.0, [])
    monkeypatch.setattr(rules, "read_thresholds", lambda: strict)
    rows = sets.clean_training.head(300)
    validate = notebook(test_data=sets.test, model_version=register(rows, rows[LABEL], 2), model_name=model_name)
    with pytest.raises(validation.ModelRejected, match=f"better_than_{baseline.NAME.replace(' ', '_')}"):
        validate.run("ModelValidation")
    assert "verdict" not in validate.values


def test_a_table_without_spark_is_refused(store, model_name, notebook):
    infer = notebook(inference_input="a.b.new", output="a.b.predictions", model_name=model_name)
    with pytest.raises(DataRefused, match="needs a Spark session"):
        infer.run("BatchInference")
    infer = notebook(inference_input="a.b.new", output="/Volumes/a/b/c/folder", model_name=model_name)
    with pytest.raises(DataRefused, match="must either both be tables"):
        infer.run("BatchInference")
