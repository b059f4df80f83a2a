"""The metrics of each kind of task, on numbers that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from mlops_stacks.problem import Classification, Multiclass, Regression


def test_more_classes_are_measured_as_they_are_defined():
    problem = Multiclass("answer", classes=("a", "b", "c"))
    truth = problem.truth(pd.Series(["a", "c", "b", "b"]))
    predicted = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]])
    found = problem.measure(truth, predicted)
    assert found["log_loss"] == pytest.approx(-np.log([0.7, 0.8, 0.3, 0.5]).mean())
    assert found["brier"] == pytest.approx(np.mean([0.14, 0.06, 0.86, 0.38]))
    assert (found["accuracy"], found["balanced_accuracy"]) == (0.75, pytest.approx((1 + 0.5 + 1) / 3))
    parts = problem.measure_all([(truth[:1], predicted[:1]), (truth[1:], predicted[1:])])
    assert parts == pytest.approx({name: found[name] for name in ("log_loss", "brier", "accuracy")} | {"rows": 4.0})
    written = pd.DataFrame(problem.columns(predicted))
    assert written["prediction"].tolist() == ["a", "c", "a", "b"]
    assert np.array_equal(problem.predicted(written), predicted)
    wrong = np.array([[0.5, np.nan, 0.5], [1.2, -0.1, -0.1], [0.5, 0.2, 0.2], [0.2, 0.3, 0.5]])
    assert [rows.tolist() for rows, _ in problem.impossible(wrong)] == [
        [True, False, False, False],
        [False, True, False, False],
        [False, False, True, False],
    ]
    with pytest.raises(ValueError, match="the label 'd' is not a class of answer: a, b, c"):
        problem.truth(pd.Series(["a", "d"]))


def test_classes_are_measured_as_they_are_defined():
    problem = Classification("answer", positive=True)
    truth = problem.truth(pd.Series([True, False, True, False]))
    found = problem.measure(truth, np.array([0.9, 0.2, 0.4, 0.4]))
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.6]).mean())
    assert found["brier"] == pytest.approx(np.mean([0.01, 0.04, 0.36, 0.16]))
    assert (found["accuracy"], found["roc_auc"]) == (0.75, 0.875)
    alone = problem.measure(np.ones(2), np.array([0.5, 0.6]))
    assert np.isnan(alone["roc_auc"])
    parts = problem.measure_all([(truth[:1], np.array([0.9])), (truth[1:], np.array([0.2, 0.4, 0.4]))])
    assert parts == pytest.approx({name: found[name] for name in ("log_loss", "brier", "accuracy")} | {"rows": 4.0})
    assert [why for wrong, why in problem.impossible(np.array([0.5, np.nan, 1.5])) if wrong.any()] == [
        "not a number",
        "no probability from 0 to 1",
    ]


def test_numbers_are_measured_as_they_are_defined():
    problem = Regression("answer", unit="units", above=0, at_most=10)
    found = problem.measure(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert found == {"rmse": pytest.approx(5**0.5), "mae": 2.0, "bias": 2.0, "r2": -4.0}
    parts = problem.measure_all([(np.array([1.0]), np.array([2.0])), (np.array([3.0]), np.array([6.0]))])
    assert parts == pytest.approx({name: found[name] for name in ("rmse", "mae", "bias")} | {"rows": 2.0})
    wrong = [(rows.tolist(), why) for rows, why in problem.impossible(np.array([np.nan, 0.0, 5.0, 11.0]))]
    assert wrong[1:] == [
        ([False, True, False, False], "not more than 0 units"),
        ([False, False, False, True], "more than 10 units"),
    ]


def test_the_primary_metric_decides_and_one_that_should_be_high_is_held_against_limits_as_its_distance_from_1():
    low, high = Regression("answer", "units", primary="mae"), Classification("answer", primary="accuracy")
    assert (low.loss_of({"mae": 2.5}), low.loss_title) == (2.5, "mean absolute error in units")
    assert (high.loss_of({"accuracy": 0.75}), high.loss_title) == (0.25, "1 - accuracy")
    with pytest.raises(ValueError, match="primary is 'bias'; one of these can decide: rmse, mae, r2"):
        Regression("answer", "units", primary="bias")
