import os
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlops_stacks import baseline, columns, data, drift, files, ingest, training

SAMPLE = str(Path(__file__).parents[1] / "fixtures" / "trips.parquet")
"""400 generated training trips, dirty rows included, that never change: the place for exact numbers."""


def test_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path):
    digests = {}
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        data.make(str(tmp_path / name), rows=2000, seed=seed)
        digests[name] = [files.sha256(str(path)) for path in sorted((tmp_path / name).iterdir())]
    assert len(digests["first"]) == 3
    assert digests["first"] == digests["again"]
    assert not set(digests["first"]) & set(digests["other"])


def test_the_generator_still_makes_the_committed_sample(tmp_path):
    """A change of the generator changes every figure that was ever measured on its data: make it knowingly.

    `make` with these rows and seed writes a new sample. Compared by value, as the bytes name the writer's version.
    """
    data.make(str(tmp_path), rows=400, seed=11)
    assert pq.read_table(tmp_path / "training.parquet").equals(pq.read_table(SAMPLE))


def test_rows_are_written_group_by_group(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "ROWS_PER_GROUP", 700)
    data.make(str(tmp_path), rows=2000, seed=0)
    parquet = pq.ParquetFile(tmp_path / "training.parquet")
    assert [parquet.metadata.row_group(i).num_rows for i in range(parquet.num_row_groups)] == [700, 700, 600]
    assert parquet.schema_arrow.equals(data.SCHEMA)
    pickup = parquet.read().to_pandas()["tpep_pickup_datetime"]
    assert pickup.is_monotonic_increasing


def test_sets_follow_one_another_in_time(sets):
    spans = [pd.read_parquet(path)["tpep_pickup_datetime"] for path in (sets.training, sets.test)]
    later = pd.read_parquet(sets.inference_input)["tpep_pickup_datetime"]
    assert spans[0].max() < spans[1].min() <= spans[1].max() < later.min()


def test_inference_input_has_drifted(sets):
    old, new = pd.read_parquet(sets.training), pd.read_parquet(sets.inference_input)
    assert new["trip_distance"].mean() > 1.25 * old["trip_distance"].mean()
    profile = drift.profile(sets.clean_training)
    counts = drift.spread(profile, [sets.clean_test])
    assert max(column.stability(counts[name]) for name, column in profile.items()) < 0.03, "the test set has not"


def test_dirty_rows_have_the_stated_shares(tmp_path):
    data.make(str(tmp_path), rows=40_000, seed=2)
    dropped = ingest.read_clean(str(tmp_path / "training.parquet")).dropped
    for rule, kind in (
        ("no_fare", "negative_fare"),
        ("no_distance", "zero_distance"),
        ("fare_outlier", "fare_outlier"),
        ("missing_value", "missing_value"),
        ("duplicate", "duplicate"),
    ):
        assert dropped[rule] / 40_000 == pytest.approx(data.DIRTY_SHARES[kind], rel=0.35), rule


def test_end_of_summer_time_makes_trips_that_end_before_they_start():
    night = data.DataSet("night", "2025-11-02T00:00", "2025-11-02T04:00", 1.0)
    frame = data.trips(np.random.default_rng(0), night, 500, (0.0, 1.0)).to_pandas()
    backwards = frame["tpep_dropoff_datetime"] < frame["tpep_pickup_datetime"]
    assert backwards.sum() > 10
    assert (frame.loc[backwards, "tpep_pickup_datetime"] < pd.Timestamp(data.END_OF_SUMMER_TIME)).all()


def test_there_is_something_to_learn_and_a_floor_below(sets):
    """LightGBM beats distance alone by 15 % at least, and does not go below the noise."""
    assert lightgbm.__version__
    trees = training.fit(
        sets.clean_training[list(columns.INPUTS)], sets.clean_training[columns.LABEL], training.Settings()
    )
    fares = sets.clean_test[columns.LABEL].to_numpy()
    predicted = trees.predict(training.features.Features().transform(sets.clean_test))
    rmse = columns.PROBLEM.measure(fares, predicted)["rmse"]
    line = baseline.predictions(sets.clean_test)
    assert data.NOISE_DOLLARS < rmse < 0.85 * columns.PROBLEM.measure(fares, line)["rmse"]


def test_command_line_writes_and_refuses(tmp_path, capsys):
    assert data.main(["make", "--out", str(tmp_path / "new" / "folder"), "--rows", "400", "--seed", "9"]) == 0
    assert sorted(os.listdir(tmp_path / "new" / "folder")) == [
        "inference_input.parquet",
        "test.parquet",
        "training.parquet",
    ]
    assert "training.parquet: 400 rows" in capsys.readouterr().out
    assert data.main(["make", "--out", str(tmp_path), "--rows", "7"]) == 1
    assert "--rows 100" in capsys.readouterr().err
