import math
import re

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import drift, inference, monitoring, training
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.monitoring import InUse, Limits

judged = pytest.mark.skipif(not PROBLEM.loss.power, reason="the primary metric needs all rows at once")
COMMAND = "cargo xtask run a_job --target somewhere"


@pytest.fixture(scope="module")
def model(store, sets) -> tuple[str, str]:
    trained = training.train(sets.training, "test.unit.monitoring", settings=training.Settings(rounds=60))
    return trained.model_name, trained.model_version


def monitor(model: tuple[str, str], scored: pd.DataFrame, finished: str = "", **settings: object) -> monitoring.Watched:
    seen = InUse([scored], inference.finished_rows(finished), "sha256:5", "/data/new.parquet")
    return monitoring.monitor(*model, seen, COMMAND, **settings)


def test_stability_index_of_known_shares():
    column = drift.ColumnProfile(borders=[10.0], shares=[0.5, 0.5])
    counts = column.counts(pd.Series([1.0, 10.0, 11.0, 12.0]))
    assert counts.tolist() == [1, 3]
    assert column.stability(counts) == pytest.approx(0.25 * math.log(3))
    assert column.stability(np.array([4, 4])) == 0
    emptied = 0.5 * (math.log(1 / 0.5)) + (1e-4 - 0.5) * math.log(1e-4 / 0.5)
    assert column.stability(np.array([4, 0])) == pytest.approx(emptied)
    assert math.isnan(column.stability(np.array([0, 0])))


def test_profile_cuts_the_training_rows_into_ten_equal_parts_and_survives_the_way_to_the_model(sets, number):
    spread = np.linspace(0, 1, len(sets.clean_training))
    assert drift.profile(sets.clean_training.assign(**{number: spread}))[number].shares == pytest.approx(
        [0.1] * 10, abs=1e-3
    )
    profile = drift.profile(sets.clean_training)
    assert list(profile) == list(INPUTS)
    plain = drift.to_plain(profile)
    assert drift.from_plain(plain) == profile
    stored = dict(sorted(plain.items())) | {"an_input_of_old": {"borders": [1.0], "shares": [0.5, 0.5]}}
    assert list(drift.from_plain(stored)) == list(INPUTS)
    same = drift.spread(profile, [sets.clean_training.head(3000), sets.clean_training.iloc[3000:]])
    assert [column.stability(same[name]) for name, column in profile.items()] == [0] * len(INPUTS)


def test_a_time_counts_by_its_minute_of_the_day():
    times = pd.Series(pd.to_datetime(["2020-01-01 00:00:00", "2026-05-05 13:37:59"]))
    assert drift.as_numbers(times).tolist() == [0, 13 * 60 + 37]


def test_a_column_with_one_value_has_one_or_two_parts(sets, number):
    profile = drift.profile(sets.clean_training.assign(**{number: 10001.0}))
    assert (profile[number].borders, profile[number].shares) == ([10001.0], [0.0, 1.0])
    assert drift.ColumnProfile([10001.0], []).part_names() == ["< 10001", ">= 10001"]
    assert drift.ColumnProfile([1.0, 2.5], []).part_names() == ["< 1", "1 - 2.5", ">= 2.5"]
    assert drift.ColumnProfile([], []).part_names() == ["all"]


@judged
def test_what_looks_like_training_is_within_the_limits(model, sets):
    watched = monitor(model, sets.clean_training, sets.training)
    assert (watched.state, watched.reason) == ("within_limits", "every limit kept")
    assert {check.rule for check in watched.checks} == {"error", *(f"drift_{name}" for name in INPUTS)}
    assert COMMAND not in watched.sentence()
    assert watched.summary()["retrain_command"] == ""
    assert max(value for name, value in watched.metrics.items() if name.startswith("drift_")) < 0.01


def test_an_input_that_moved_is_seen_and_the_command_is_named(model, sets, number):
    moved = sets.clean_training[number] + 2 * sets.clean_training[number].std()
    watched = monitor(model, sets.clean_training.assign(**{number: moved}))
    assert watched.state == "beyond_limits"
    assert re.search(rf"drift_{number}: \S+, at most \S+ allowed", watched.sentence())
    assert watched.sentence().endswith(f"Train again: {COMMAND}")
    assert f"no {PROBLEM.answer} has arrived" in watched.sentence()
    run = mlflow.get_run(watched.run_id)
    assert run.data.tags["mlops_monitoring"] == "beyond_limits"
    assert run.data.tags["mlops_input_digest"] == "sha256:5"
    assert run.data.tags["mlops_model_version"] == "/".join(model)
    (dataset,) = run.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == ("new.parquet", "5")
    drifted = {name for name in INPUTS if run.data.metrics[f"drift_{name}"] > 0.1}
    assert drifted == {number}
    assert run.data.metrics["finished_rows"] == 0
    assert "drift.png" in [item.path for item in MlflowClient().list_artifacts(watched.run_id)]


@judged
def test_labels_that_changed_are_seen_though_the_inputs_did_not(model, sets, tmp_path):
    path = str(tmp_path / "changed.parquet")
    labels = np.random.default_rng(0).permutation(sets.clean_training[LABEL])
    changed = sets.clean_training.assign(**{LABEL: labels})
    changed.to_parquet(path)
    watched = monitor(model, sets.clean_training, path)
    assert [check.rule for check in watched.checks if not check.passed] == ["error"]
    predicted = mlflow.pyfunc.load_model("models:/" + "/".join(model)).predict(changed[list(INPUTS)])
    measured = PROBLEM.measure(PROBLEM.truth(changed[LABEL]), predicted)
    for metric in PROBLEM.metrics:
        if metric.power:
            assert watched.metrics[f"finished_{metric.name}"] == pytest.approx(measured[metric.name], abs=1e-9)
    assert watched.metrics["finished_rows"] == len(changed)


@judged
def test_few_rows_are_not_judged(model, sets):
    watched = monitor(model, sets.clean_test, sets.test, limits=Limits(0.1, 0.25, min_rows=10**6))
    assert (watched.state, watched.checks) == ("", [])
    assert watched.metrics["rows_compared"] == len(sets.clean_test)
    assert "mlops_monitoring" not in mlflow.get_run(watched.run_id).data.tags
    assert watched.sentence().count("not judged") == 2
    nothing = monitor(model, sets.clean_test.head(0))
    assert (nothing.state, nothing.figure) == ("", None)


@judged
def test_a_version_without_a_profile_is_said_to_have_none(register, model_name, sets):
    rows = sets.clean_training.head(500)
    version = register(rows, rows[LABEL], rounds=2)
    watched = monitor((model_name, version), sets.clean_test, sets.test)
    assert (watched.state, watched.figure) == ("", None)
    assert "no profile" in watched.sentence()
    assert "not known in training" in watched.sentence()
