"""Another problem: four files of the package say that customers leave, and all the rest is as it is."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks.columns import LABEL

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def of_churn(package_of) -> None:
    """The package of a project that replaced columns.py, cleaning.py, features.py and baseline.py."""
    package_of(FIXTURES / "classification")


@pytest.fixture
def of_plans(package_of) -> None:
    """The same, with a label of three values."""
    package_of(FIXTURES / "multiclass", FIXTURES / "classification")


def customers(rows: int, seed: int, monthly: float = 0.4) -> pd.DataFrame:
    """Customers who leave for reasons that can be learnt: a monthly plan, many calls, few months."""
    chance = np.random.default_rng(seed)
    rest = (1 - monthly) / 2
    table = pd.DataFrame(
        {
            "months": np.round(chance.uniform(0, 60, rows), 1),
            "plan": chance.choice(["monthly", "yearly", "prepaid"], rows, p=[monthly, rest, rest]),
            "calls": chance.poisson(2, rows),
            "autopay": chance.uniform(size=rows) < 0.5,
            "region": chance.choice(["north", "south"], rows),
        }
    )
    score = 4 * (table["plan"] == "monthly") + 2 * (table["calls"] - 2) - 0.15 * (table["months"] - 20) - 1.5
    left = chance.uniform(size=rows) < 1 / (1 + np.exp(-score))
    table["left"] = np.where(left, "yes", "no")
    table["next"] = np.select([left, table["months"] > 25], ["none", "yearly"], "monthly")
    return table


@pytest.mark.usefixtures("of_churn")
def test_a_classification_model_goes_all_the_way(model_name, store, tmp_path, notebook):
    paths = {}
    for name, rows in (
        ("training", customers(3000, 1)),
        ("test", customers(1500, 2)),
        ("new", customers(1500, 3, monthly=0.8)),
    ):
        paths[name] = str(tmp_path / f"{name}.parquet")
        rows.to_parquet(paths[name])
    common = {"model_name": model_name, "experiment_name": store}

    trained = notebook(training_data=paths["training"], **common).run("Train")
    assert trained["metrics"].keys() == {
        *(f"holdout_{name}" for name in ("log_loss", "brier", "accuracy", "roc_auc")),
        "train_log_loss",
    }
    assert trained["metrics"]["holdout_roc_auc"] > 0.9
    judged = notebook(test_data=paths["test"], model_version="1", **common)
    verdict = judged.run("ModelValidation")
    assert verdict["verdict"] == "passed"
    table = judged.shown[0].set_index("metric")
    assert (table.loc["accuracy", "better"], table.loc["log_loss_monthly", "better"]) == ("higher", "lower")
    rules = judged.shown[1].set_index("rule")
    assert rules.loc["better_than_the_share_of_churn", "meaning"].startswith("log loss; the share of churn has 0.")
    assert notebook(model_version="1", **common).run("ModelDeployment")["champion"] == "1"

    # What promotion does before a copy becomes champion.
    from mlops_stacks import smoke

    version = mlflow.artifacts.download_artifacts(f"models:/{model_name}/1", dst_path=str(tmp_path / "version"))
    tried = smoke.smoke(version)
    assert tried["rows"] == 5
    assert all(0 <= answer <= 1 for answer in tried["predictions"])

    infer = notebook(inference_input=paths["new"], finished_rows=paths["new"], output=str(tmp_path / "out"), **common)
    scored = infer.run("BatchInference")
    assert (scored["rows"], scored["not_scored"]) == (1500, 0)
    found = scored["monitoring"]
    assert found["state"] == "beyond_limits"
    assert found["reason"].startswith("drift_plan: ")
    assert "dollars" not in found["reason"]
    assert found["metrics"]["drift_months"] < 0.1
    assert found["metrics"]["finished_accuracy"] > 0.8
    assert found["metrics"].keys() >= {"finished_log_loss", "finished_brier", "training_log_loss"}


@pytest.mark.usefixtures("of_churn")
def test_the_champion_of_another_problem_is_a_finding_of_validation(
    register, sets, model_name, store, tmp_path, notebook
):
    fares = register(sets.clean_training.head(300), sets.clean_training[LABEL].head(300), rounds=2)
    MlflowClient().set_registered_model_alias(model_name, "champion", fares)
    paths = {name: str(tmp_path / f"{name}.parquet") for name in ("training", "test")}
    for seed, path in enumerate(paths.values()):
        customers(800, seed).to_parquet(path)
    common = {"model_name": model_name, "experiment_name": store}
    trained = notebook(training_data=paths["training"], **common).run("Train")
    from mlops_stacks.validation import ModelRejected

    judged = notebook(test_data=paths["test"], model_version=trained["model_version"], **common)
    with pytest.raises(
        ModelRejected, match=r"version 1 needs tpep_pickup_datetime, .* missing in the test set"
    ) as raised:
        judged.run("ModelValidation")
    assert "name 1 in replaced_without_comparison" in str(raised.value)


@pytest.mark.usefixtures("of_plans")
def test_a_model_of_three_classes_goes_all_the_way(model_name, store, tmp_path, notebook):
    paths = {}
    for name, rows in (("training", customers(3000, 1)), ("test", customers(1500, 2)), ("new", customers(1000, 3))):
        paths[name] = str(tmp_path / f"{name}.parquet")
        rows.to_parquet(paths[name])
    common = {"model_name": model_name, "experiment_name": store}
    trained = notebook(training_data=paths["training"], **common).run("Train")
    assert trained["metrics"]["holdout_accuracy"] > 0.8
    judged = notebook(test_data=paths["test"], model_version="1", **common)
    assert judged.run("ModelValidation")["verdict"] == "passed"
    table = judged.shown[0].set_index("metric")
    assert (table.loc["balanced_accuracy", "better"], table.loc["log_loss_monthly", "better"]) == ("higher", "lower")
    assert notebook(model_version="1", **common).run("ModelDeployment")["champion"] == "1"

    from mlops_stacks import smoke

    version = mlflow.artifacts.download_artifacts(f"models:/{model_name}/1", dst_path=str(tmp_path / "version"))
    tried = smoke.smoke(version)
    assert tried.keys() == {"rows", "predictions"}
    assert set(tried["predictions"]) <= {"none", "monthly", "yearly"}

    out = tmp_path / "out"
    infer = notebook(inference_input=paths["new"], finished_rows=paths["new"], output=str(out), **common)
    scored = infer.run("BatchInference")
    assert (scored["rows"], scored["not_scored"]) == (1000, 0)
    assert scored["monitoring"]["state"] == "within_limits"
    assert scored["monitoring"]["metrics"]["finished_accuracy"] > 0.8
    (part,) = out.glob("*.parquet")
    predicted = pd.read_parquet(part)
    probabilities = predicted[["probability_none", "probability_monthly", "probability_yearly"]]
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (predicted["prediction"] == probabilities.idxmax(axis=1).str.removeprefix("probability_")).all()

    # The next one is compared with it.
    again = notebook(training_data=paths["training"], **common).run("Train")
    judged = notebook(test_data=paths["test"], model_version=again["model_version"], **common)
    assert judged.run("ModelValidation")["verdict"] == "passed"
    assert judged.shown[0].set_index("metric").loc["log_loss", "champion"] > 0


@pytest.mark.usefixtures("of_plans")
def test_a_version_that_predicts_another_count_of_numbers_is_refused(register, sets, model_name):
    from mlops_stacks.versions import VersionFailed, opened

    number = register(sets.clean_training.head(300), sets.clean_training[LABEL].head(300), rounds=2)
    with (
        opened(model_name, number) as fares,
        pytest.raises(VersionFailed, match="3 numbers for 3 rows; a plan needs 3 per row"),
    ):
        fares.predict(sets.clean_training.head(3))
