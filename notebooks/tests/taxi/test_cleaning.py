"""The rules of cleaning.py, each on a spoilt trip; features of a known trip; the exact numbers of the committed sample."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_stacks import features, ingest
from mlops_stacks.columns import PROBLEM
from mlops_stacks.schema import DataRefused

SAMPLE = str(Path(__file__).parents[1] / "fixtures" / "trips.parquet")
"""400 generated training trips, dirty rows included, that never change: the place for exact numbers."""


def good(rows: int = 50) -> pd.DataFrame:
    start = pd.Timestamp("2025-08-01")
    pickup = pd.Series([start + pd.Timedelta(minutes=i) for i in range(rows)])
    return pd.DataFrame(
        {
            "tpep_pickup_datetime": pickup,
            "trip_distance": np.linspace(1, 5, rows),
            "pickup_zip": np.full(rows, 10001, dtype="int32"),
            "dropoff_zip": np.full(rows, 11201, dtype="int32"),
            "tpep_dropoff_datetime": pickup + pd.Timedelta(minutes=9),
            "fare_amount": np.linspace(8, 20, rows),
        }
    )


def spoil(column: str, value: object) -> pd.DataFrame:
    frame = good()
    if value is None:
        frame[column] = frame[column].astype("float64" if column != "tpep_pickup_datetime" else frame[column].dtype)
    frame.loc[7, column] = value
    return frame


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("trip_distance", None, "missing_value"),
        ("pickup_zip", None, "missing_value"),
        ("tpep_pickup_datetime", None, "missing_value"),
        ("trip_distance", 0.0, "no_distance"),
        ("trip_distance", 250.0, "endless_distance"),
        ("fare_amount", None, "missing_fare"),
        ("fare_amount", -8.0, "no_fare"),
        ("fare_amount", 0.0, "no_fare"),
        ("fare_amount", 900.0, "fare_outlier"),
        ("tpep_dropoff_datetime", pd.Timestamp("2025-07-31"), "ends_before_it_starts"),
    ],
)
def test_each_rule_drops_the_spoilt_row_and_is_counted(column, value, rule):
    result = ingest.clean(spoil(column, value), "d")
    assert result.dropped == {**dict.fromkeys(result.dropped, 0), rule: 1}
    assert len(result.frame) == 49
    assert result.dropped_share == pytest.approx(0.02)
    assert result.as_table().set_index("rule").loc[rule, "rows"] == 1


def test_duplicates_are_dropped_but_the_first_is_kept():
    frame = good()
    frame.loc[8] = frame.loc[7]
    result = ingest.clean(frame, "d")
    assert (result.dropped["duplicate"], len(result.frame)) == (1, 49)


@pytest.mark.parametrize("value", [10001.5, "10001"])
def test_a_zip_code_is_an_integer(tmp_path, value):
    path = tmp_path / "trips.parquet"
    good().assign(pickup_zip=value).to_parquet(path)
    with pytest.raises(DataRefused, match=r"column `pickup_zip` .* is .*; expected an integer"):
        ingest.read_clean(str(path))


def test_the_committed_sample_cleans_to_known_numbers():
    result = ingest.read_clean(SAMPLE)
    counted = {rule: rows for rule, rows in result.dropped.items() if rows}
    assert counted == {"missing_value": 1, "no_distance": 2, "no_fare": 1, "fare_outlier": 1, "duplicate": 3}
    assert (result.rows_read, len(result.frame)) == (400, 392)
    assert result.digest == "6afae67ba6509d39e616a57b5047c064811c0be466e1f14645f03d478f5bb867"
    assert result.frame["trip_distance"].mean() == pytest.approx(6.648571428571428)
    assert result.frame["fare_amount"].mean() == pytest.approx(32.66864795918367)


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


@pytest.mark.parametrize(
    ("fare", "why"),
    [(-2.0, "not more than 0 dollars"), (0.0, "not more than 0 dollars"), (float("inf"), "more than 400 dollars")],
)
def test_what_no_fare_can_be(fare, why):
    assert [reason for wrong, reason in PROBLEM.impossible(np.array([fare])) if wrong.any()] == [why]
