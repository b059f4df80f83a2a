"""The generated example rows; delete this file together with example.py."""

from itertools import pairwise

import pandas as pd
import pytest

from mlops_stacks import data, drift, example, features, ingest


def test_the_spoilt_rows_have_the_stated_shares():
    rows = example.rows("training", 40_000, [2])
    dropped = ingest.clean(rows, "").dropped
    for rule, share in example.SPOILT.items():
        assert dropped[rule] / len(rows) == pytest.approx(share, rel=0.35), rule


def test_the_inference_input_has_drifted_and_the_test_set_has_not(sets):
    profile = drift.profile(sets.clean_training)
    for rows, moved in ((sets.clean_test, False), (ingest.read_clean(sets.inference_input).frame, True)):
        counts = drift.spread(profile, [rows])
        assert {name: column.stability(counts[name]) > 0.1 for name, column in profile.items()} == {
            name: moved and name == "number_1" for name in profile
        }


def test_features_of_a_known_row():
    row = {"happened_at": pd.Timestamp("2025-08-02 17:30"), "number_1": 2.5, "number_2": -1.0}  # a Saturday
    row |= {"count": 3, "flag": True, "category": "c"}
    found = features.Features().transform(pd.DataFrame([row])).iloc[0].to_dict()
    assert found == {
        "number_1": 2.5,
        "number_2": -1.0,
        "count": 3,
        "flag": 1,
        "happened_at_hour": 17,
        "happened_at_weekday": 5,
        "happened_at_month": 8,
        "category": 2,
    }
    assert features.Features().transform(pd.DataFrame([row | {"category": "new"}]))["category"].tolist() == [-1]


def test_data_sets_follow_one_another_in_time(tmp_path):
    tables = data.generated(1000, 1)
    times = [tables[name]["happened_at"].to_pylist() for name in data.DATA_SETS]
    assert all(max(before) < min(after) for before, after in pairwise(times))
