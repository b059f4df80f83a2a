"""What new projects get in place of the taxi data works with the package as it is."""

from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[3] / "xtask" / "crates" / "mlops" / "template"
PACKAGE = Path("notebooks", "mlops_stacks")


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_example_of_a_new_project_goes_all_the_way(kind, package_of, store, notebook, tmp_path):
    package_of(TEMPLATE / kind / PACKAGE, TEMPLATE / "all" / PACKAGE)
    from mlops_stacks import data

    data.make(str(tmp_path), rows=8000)
    common = {"model_name": f"test.unit.template_{kind}", "experiment_name": store, "model_version": "1"}
    common |= {"training_data": f"{tmp_path}/training.parquet", "test_data": f"{tmp_path}/test.parquet"}
    common |= dict.fromkeys(("inference_input", "finished_rows"), f"{tmp_path}/inference_input.parquet")
    common |= {"output": str(tmp_path / "predictions")}
    for name in ("Train", "ModelValidation", "ModelDeployment"):
        answer = notebook(**common).run(name)
    assert (answer["champion"], answer["changed"]) == ("1", True)
    scored = notebook(**common).run("BatchInference")
    assert scored["rows"] == 2000 > scored["not_scored"] > 0
    assert scored["monitoring"]["state"] == "beyond_limits"
    assert scored["monitoring"]["reason"].startswith("drift_number_1: ")


def test_the_limits_of_a_new_project_are_complete():
    from mlops_stacks import monitoring, rules, thresholds

    path = TEMPLATE / "all" / PACKAGE / "thresholds.toml"
    assert rules.read_thresholds(path).replaced_without_comparison == []
    assert thresholds.read_limits(monitoring.Limits, "monitoring", path).max_drift > 0
