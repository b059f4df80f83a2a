import numpy as np
import pandas as pd
import pytest

from mlops_stacks import ingest
from mlops_stacks.schema import DataRefused


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


def test_clean_rows_pass_and_have_the_signature_types():
    result = ingest.clean(good(), "d")
    assert (len(result.frame), sum(result.dropped.values())) == (50, 0)
    assert result.frame["pickup_zip"].dtype == np.int32


def test_too_large_a_share_is_refused_with_the_worst_rule():
    frame = good()
    frame.loc[:9, "fare_amount"] = -1.0
    with pytest.raises(DataRefused, match=r"drop 20\.0%.*10% allowed; most by `no_fare` \(10 rows\)"):
        ingest.clean(frame, "d")


def test_no_rows_are_refused():
    with pytest.raises(DataRefused, match="no rows"):
        ingest.clean(good(0), "d")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="dropoff_zip"), "has no column `dropoff_zip`"),
        (lambda f: f.assign(trip_distance=f["trip_distance"].astype(str)), "column `trip_distance` .* is .*string"),
        (lambda f: f.assign(pickup_zip=10001.5), "column `pickup_zip` .* is double; expected an integer"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused_with_the_columns_name(tmp_path, change, message):
    path = tmp_path / "trips.parquet"
    change(good()).to_parquet(path)
    with pytest.raises(DataRefused, match=message):
        ingest.read_trips(str(path))


def test_a_missing_file_and_one_that_is_not_parquet_are_refused(tmp_path):
    with pytest.raises(DataRefused, match="does not exist; generate and upload"):
        ingest.read_trips(str(tmp_path / "none.parquet"))
    (tmp_path / "text.parquet").write_text("hello, I am not a table")
    with pytest.raises(DataRefused, match="not a Parquet file"):
        ingest.read_trips(str(tmp_path / "text.parquet"))


def test_the_committed_sample_cleans_to_known_numbers(sample):
    result = ingest.read_trips(sample)
    counted = {rule: rows for rule, rows in result.dropped.items() if rows}
    assert counted == {"missing_value": 1, "no_distance": 2, "no_fare": 1, "fare_outlier": 1, "duplicate": 3}
    assert (result.rows_read, len(result.frame)) == (400, 392)
    assert result.digest == "6afae67ba6509d39e616a57b5047c064811c0be466e1f14645f03d478f5bb867"
    assert result.frame["trip_distance"].mean() == pytest.approx(6.648571428571428)
    assert result.frame["fare_amount"].mean() == pytest.approx(32.66864795918367)
