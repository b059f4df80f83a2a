"""The gate must reject bad models. Each of them is trained here for real."""

from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc import PythonModel
from mlflow.types import ColSpec, Schema

from mlops_stacks import (
    baseline,
    datasets,
    deployment,
    records,
    registry,
    rules,
    validation,
)
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.schema import DataRefused
from mlops_stacks.validation import ModelRejected

LIMITS = replace(rules.read_thresholds(), min_slice_rows=50)
BASELINE = f"better_than_{baseline.NAME.replace(' ', '_')}"
PRIMARY, LOSS = PROBLEM.primary, PROBLEM.loss_of


def slices(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """The slices that have enough rows to be judged."""
    found = {name: mask for name, mask in baseline.slices(rows).items() if mask.sum() >= LIMITS.min_slice_rows}
    return found or pytest.skip("needs slices of the data")


def tags(name: str, version: str) -> dict[str, str]:
    return dict(MlflowClient().get_model_version(name, version).tags)


def assert_rejected(report: validation.Report, rule: str) -> None:
    """Rejected by this rule; it says so with both numbers, in the tags too, and has no alias."""
    assert rule in [check.rule for check in report.broken]
    broken = next(check for check in report.broken if check.rule == rule)
    with pytest.raises(ModelRejected, match=rule) as raised:
        report.raise_if_rejected()
    assert f"{broken.value:.6g}" in str(raised.value)
    assert f"{broken.limit:.6g}" in str(raised.value)
    written = tags(report.model_name, report.model_version)
    assert written[records.VERDICT] == records.REJECTED
    assert rule in written[records.VERDICT_REASON]
    assert not MlflowClient().get_model_version(report.model_name, report.model_version).aliases
    with pytest.raises(deployment.NotDeployable, match="rejected"):
        deployment.deploy(report.model_name, report.model_version)


def test_a_good_first_model_passes_and_becomes_challenger(register, model_name, sets):
    version = register(sets.clean_training, sets.clean_training[LABEL])
    report = validation.validate(model_name, version, sets.test)
    report.raise_if_rejected()
    assert (report.verdict, report.champion_version) == ("passed", "")
    written = tags(model_name, version)
    assert written[records.VERDICT_FOR] == f"{model_name}/{version}"
    assert written[records.CHAMPION_AT_VALIDATION] == "none"
    assert written[records.TEST_DIGEST] == records.dataset_digest(report.test.digest)
    assert written[records.ARTIFACT_DIGEST].startswith("sha256:")
    assert registry.version_of_alias(model_name, "challenger") == version
    run = mlflow.get_run(written[records.VALIDATION_RUN_ID])
    assert [found.dataset.name for found in run.inputs.dataset_inputs] == ["test.parquet"]
    logged = run.data.metrics
    assert logged[f"candidate_{PRIMARY}"] == pytest.approx(report.candidate[PRIMARY])
    for name in slices(report.test.frame):
        assert logged[f"candidate_{PRIMARY}_{name}"] > 0


def test_a_challenger_that_fails_when_judged_again_is_none_any_more(register, model_name, sets):
    version = register(sets.clean_training, sets.clean_training[LABEL])
    validation.validate(model_name, version, sets.test).raise_if_rejected()
    impossible = replace(LIMITS, min_gain_over_baseline=0.99)
    report = validation.validate(model_name, version, sets.test, thresholds=impossible)
    assert_rejected(report, BASELINE)
    assert registry.version_of_alias(model_name, records.CHALLENGER) is None


def test_a_constant_predictor_is_rejected(register, model_name, sets):
    most_common = sets.clean_training[LABEL].mode()[0]
    version = register(sets.clean_training, sets.clean_training[LABEL].map(lambda _: most_common), rounds=5)
    report = validation.validate(model_name, version, sets.test)
    assert_rejected(report, BASELINE)


def test_a_model_of_shuffled_labels_is_rejected(register, model_name, sets):
    labels = sets.clean_training[LABEL]
    version = register(sets.clean_training, pd.Series(np.random.default_rng(0).permutation(labels)))
    report = validation.validate(model_name, version, sets.test)
    assert_rejected(report, BASELINE)


def champion(register, model_name: str, sets, rounds: int) -> str:
    version = register(sets.clean_training, sets.clean_training[LABEL], rounds)
    MlflowClient().set_registered_model_alias(model_name, records.CHAMPION, version)
    return version


def test_worse_than_the_champion_is_rejected_and_the_champion_stays(register, model_name, sets):
    best = champion(register, model_name, sets, rounds=200)
    version = register(sets.clean_training, sets.clean_training[LABEL], rounds=3)
    report = validation.validate(
        model_name, version, sets.test, thresholds=replace(LIMITS, min_gain_over_baseline=-10.0)
    )
    assert BASELINE not in [check.rule for check in report.broken]
    assert_rejected(report, "not_worse_than_champion")
    assert report.champion_version == best == registry.version_of_alias(model_name, records.CHAMPION)
    logged = mlflow.get_run(report.run_id).data.metrics
    assert LOSS({PRIMARY: logged[f"champion_{PRIMARY}"]}) < LOSS({PRIMARY: logged[f"candidate_{PRIMARY}"]})


def test_better_on_the_whole_but_much_worse_for_a_slice_is_rejected(register, model_name, sets):
    champion(register, model_name, sets, rounds=5)
    name, _ = min(slices(sets.clean_test).items(), key=lambda item: item[1].sum())
    rows = baseline.slices(sets.clean_training)[name]
    labels = sets.clean_training[LABEL].copy()
    labels[rows] = np.random.default_rng(0).permutation(labels[rows])
    version = register(sets.clean_training, labels, rounds=250)
    report = validation.validate(model_name, version, sets.test, thresholds=LIMITS)
    assert LOSS(report.candidate) < LOSS(report.champion)
    assert_rejected(report, f"slice_{name}")


def test_a_champion_that_fails_when_judged_again_stays_until_another_comes(register, model_name, sets):
    version = champion(register, model_name, sets, rounds=120)
    impossible = replace(LIMITS, min_gain_over_baseline=0.99)
    report = validation.validate(model_name, version, sets.test, thresholds=impossible)
    assert (report.verdict, report.champion_version) == ("rejected", "")
    assert tags(model_name, version)[records.VERDICT] == records.REJECTED
    assert registry.version_of_alias(model_name, records.CHAMPION) == version
    with pytest.raises(deployment.NotDeployable, match=BASELINE):
        deployment.deploy(model_name, version)


def test_as_good_as_the_champion_passes(register, model_name, sets):
    champion(register, model_name, sets, rounds=120)
    version = register(sets.clean_training, sets.clean_training[LABEL], rounds=121)
    report = validation.validate(model_name, version, sets.test, thresholds=LIMITS)
    report.raise_if_rejected()
    judged = {f"slice_{name}" for name in slices(report.test.frame)} | {"not_worse_than_champion"}
    assert judged <= {check.rule for check in report.checks}


def signature_of(kind: str, table: pd.DataFrame, answers: np.ndarray) -> ModelSignature | None:
    """How a model says what it takes: in full, with its last column optional, or not at all."""
    full = infer_signature(table, answers)
    if kind == "optional":
        columns = [ColSpec(spec.type, spec.name, spec.name != table.columns[-1]) for spec in full.inputs.inputs]
        return ModelSignature(Schema(columns), full.outputs)
    return full if kind == "signed" else None


def log_linear_model(model_name: str, table: pd.DataFrame, labels: pd.Series, kind: str) -> str:
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(table, PROBLEM.truth(labels))
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=signature_of(kind, table, model.predict(table)),
            serialization_format="cloudpickle",
            pip_requirements=["scikit-learn"],
        )
    return str(mlflow.register_model(info.model_uri, model_name).version)


@pytest.mark.parametrize("kind", ["signed", "optional", "unsigned"])
def test_a_leaky_model_under_a_renamed_column_is_rejected(store, model_name, sets, number, kind):
    rows = sets.clean_training
    table = pd.DataFrame({number: rows[number], "another_name": PROBLEM.truth(rows[LABEL])})
    name = model_name.replace("[", "_").replace("]", "")
    version = log_linear_model(name, table, rows[LABEL], kind)
    report = validation.validate(name, version, sets.test)
    assert_rejected(report, "inputs_known_beforehand")


def test_a_champion_that_needs_what_the_data_no_longer_have_is_replaced_on_purpose_only(
    register, model_name, sets, number
):
    rows = sets.clean_training
    table = pd.DataFrame({number: rows[number], "another_name": 3.0 * rows[number]})
    old = log_linear_model(model_name, table, rows[LABEL], "signed")
    MlflowClient().set_registered_model_alias(model_name, records.CHAMPION, old)
    version = register(rows, rows[LABEL])
    report = validation.validate(model_name, version, sets.test, thresholds=LIMITS)
    assert_rejected(report, "comparable_with_champion")
    (broken,) = report.broken
    assert "needs another_name, missing in the test set" in str(broken)
    assert f"name {old} in replaced_without_comparison of thresholds.toml" in str(broken)
    allowed = replace(LIMITS, replaced_without_comparison=[int(old)])
    report = validation.validate(model_name, version, sets.test, thresholds=allowed)
    report.raise_if_rejected()
    assert (report.champion_version, report.champion) == (old, {})
    assert deployment.deploy(model_name, version).previous_champion == old


def test_a_champion_with_an_input_that_is_no_longer_one_is_compared_while_the_data_have_it(
    register, model_name, sets, number, no_input
):
    rows = sets.clean_training
    mean = PROBLEM.truth(rows[LABEL]).mean()
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=lambda model_input: np.full(len(model_input), mean),
            signature=ModelSignature(datasets.schema((number, no_input)), Schema([ColSpec("double")])),
            pip_requirements=["numpy"],
        )
    old = str(mlflow.register_model(info.model_uri, model_name).version)
    MlflowClient().set_registered_model_alias(model_name, records.CHAMPION, old)
    report = validation.validate(model_name, register(rows, rows[LABEL]), sets.test, thresholds=LIMITS)
    report.raise_if_rejected()
    assert LOSS(report.champion) > LOSS(report.candidate)


class LooksAtTheRowBefore(PythonModel):
    """The mean, and a little of the row above: the order of the rows is in its answers."""

    def __init__(self, mean: float, number: str) -> None:
        self.mean, self.number = mean, number

    def predict(self, context: object, model_input: pd.DataFrame, params: dict | None = None) -> np.ndarray:
        return self.mean + 1e-6 * np.roll(model_input[self.number].to_numpy(), 1)


def test_a_model_whose_answers_depend_on_the_order_of_the_rows_is_rejected(store, model_name, sets, number):
    inputs = sets.clean_training[list(INPUTS)]
    model = LooksAtTheRowBefore(PROBLEM.truth(sets.clean_training[LABEL]).mean(), number)
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=model,
            signature=ModelSignature(datasets.schema(INPUTS), Schema([ColSpec("double")])),
            input_example=inputs.head(5),
            pip_requirements=["numpy"],
        )
    version = str(mlflow.register_model(info.model_uri, model_name).version)
    assert_rejected(validation.validate(model_name, version, sets.test), "predictions_ignore_the_answer")


class Peeks:
    """Answers with the label when it can see it."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return PROBLEM.truth(rows[LABEL]) if LABEL in rows else np.zeros(len(rows))


class DependsOnTheOrder:
    """Mixes rows: an answer depends on the rows before it."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return rows.iloc[:, 0].rank(method="first").to_numpy() + np.arange(len(rows))


class Honest:
    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return rows[INPUTS[0]].rank().to_numpy()


@pytest.mark.parametrize(("model", "kept"), [(Peeks(), False), (DependsOnTheOrder(), False), (Honest(), True)])
def test_predictions_must_not_move_with_the_answer(sets, model, kept):
    rows = sets.clean_test
    whole = model.predict(rows[list(INPUTS)])
    check = rules.leak_check(whole, validation.without_the_answer(model, rows), LIMITS)
    assert rules.judged([check])[0].passed is kept


def test_a_number_that_is_not_finite_never_passes():
    checks = [rules.Check("a", float("nan"), 1.0, ""), rules.Check("b", 1.0, 1.0, "")]
    assert [check.passed for check in rules.judged(checks)] == [False, True]


def test_the_training_set_is_refused_as_a_test_set(store, model_name, sets):
    from mlops_stacks import training

    trained = training.train(sets.training, model_name, settings=training.Settings(rounds=3))
    with pytest.raises(DataRefused, match="training set of this version"):
        validation.validate(model_name, trained.model_version, sets.training)


def test_without_a_version_it_says_what_is_needed(store, sets):
    with pytest.raises(ValueError, match="model_version"):
        validation.validate("a.b.c", "", sets.test)


def test_thresholds_refuse_missing_and_unknown_names(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(rules.THRESHOLDS_FILE.read_text().replace("min_slice_rows", "min_slice_row"))
    with pytest.raises(ValueError, match=r"\[validation\]: min_slice_row, min_slice_rows"):
        rules.read_thresholds(path)
