"""A team's own data: a folder of Parquet files or a Delta table's folder gives what one file gives."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import deltalake
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from mlops_stacks import files, inference, ingest, schema, sources, training, validation
from mlops_stacks.columns import LABEL
from mlops_stacks.schema import DataRefused


@pytest.fixture
def folder(trips, tmp_path) -> str:
    """The training set in three files of a folder, beside what is no data."""
    whole = pq.read_table(trips.training)
    (tmp_path / "set" / "later").mkdir(parents=True)
    for name, first, rows in (("a.parquet", 0, 3000), ("b.parquet", 3000, 3000), ("later/a.parquet", 6000, 2000)):
        pq.write_table(whole.slice(first, rows), tmp_path / "set" / name)
    (tmp_path / "set" / "_SUCCESS").touch()
    (tmp_path / "set" / "_half.parquet").write_text("an unfinished file")
    return str(tmp_path / "set")


@pytest.fixture
def delta(trips, tmp_path) -> str:
    """The training set as a Delta table, with two commits."""
    path = str(tmp_path / "delta")
    whole = pq.read_table(trips.training)
    deltalake.write_deltalake(path, whole.slice(0, 5000))
    deltalake.write_deltalake(path, whole.slice(5000), mode="append")
    return path


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns), ignore_index=True)


def test_a_folder_has_the_rows_of_its_files_in_order(folder, trips):
    read, whole = ingest.read_trips(folder), ingest.read_trips(trips.training)
    pd.testing.assert_frame_equal(read.frame, whole.frame)
    assert (read.rows_read, read.dropped) == (8000, whole.dropped)


def test_a_delta_table_has_the_rows_of_its_latest_version(delta, trips):
    read, whole = ingest.read_trips(delta), ingest.read_trips(trips.training)
    pd.testing.assert_frame_equal(in_order(read.frame), in_order(whole.frame))
    deltalake.DeltaTable(delta).delete("trip_distance > 2")
    assert 0 < ingest.read_trips(delta).frame["trip_distance"].max() <= 2


def test_digest_of_a_folder_is_that_of_names_lengths_and_contents(tmp_path, sample):
    shutil.copy(sample, tmp_path / "trips.parquet")
    digest = sources.opened(str(tmp_path)).digest()
    content = Path(sample).read_bytes()
    line = f"trips.parquet\0{len(content)}\0{hashlib.sha256(content).hexdigest()}\n"
    assert digest == hashlib.sha256(line.encode()).hexdigest()
    os.rename(tmp_path / "trips.parquet", tmp_path / "other.parquet")
    assert sources.opened(str(tmp_path)).digest() != digest


def test_digest_of_a_delta_table_is_that_of_its_version_wherever_it_is(delta, tmp_path):
    first = sources.opened(delta).digest()
    assert sources.opened(delta).digest() == first
    shutil.copytree(delta, tmp_path / "copy")
    assert sources.opened(str(tmp_path / "copy")).digest() == first
    deltalake.DeltaTable(delta).delete("trip_distance > 2")
    later = sources.opened(delta).digest()
    assert later != first
    deltalake.DeltaTable(delta).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    assert sources.opened(delta).digest() == later


def test_times_with_a_zone_are_read_as_they_are_in_utc():
    times = pd.Series(pd.to_datetime(["2026-03-01 10:00"])).dt.tz_localize("America/New_York")
    plain = schema.without_zone(pd.DataFrame({"tpep_pickup_datetime": times, "trip_distance": [1.0]}))
    assert plain["tpep_pickup_datetime"].tolist() == [pd.Timestamp("2026-03-01 15:00")]


def test_a_delta_table_is_trained_on_validated_with_and_scored(store, delta, trips, model_name, tmp_path):
    test = str(tmp_path / "test-delta")
    zoned = pq.read_table(trips.test)
    times = pa.timestamp("us", tz="UTC")
    for name in ("tpep_pickup_datetime", "tpep_dropoff_datetime"):
        zoned = zoned.set_column(zoned.column_names.index(name), name, zoned[name].cast(times))
    deltalake.write_deltalake(test, zoned)
    trained = training.train(delta, model_name, settings=training.Settings(rounds=120))
    tags = MlflowClient().get_model_version(model_name, trained.model_version).tags
    assert tags["mlops_training_digest"] == "sha256:" + sources.opened(delta).digest()
    with pytest.raises(DataRefused, match="the training set of this version"):
        validation.validate(model_name, trained.model_version, delta)
    report = validation.validate(model_name, trained.model_version, test)
    plain = validation.validate(model_name, trained.model_version, trips.test)
    assert (report.verdict, report.candidate) == ("passed", pytest.approx(plain.candidate))
    scored = inference.score(model_name, test, str(tmp_path / "out"), alias="challenger")
    assert (scored.rows, scored.skipped) == (2000, False)
    assert inference.score(model_name, test, str(tmp_path / "out"), alias="challenger").skipped is True
    assert sum(len(batch) for batch in inference.finished_trips(test)) == 1966  # duplicates stay


@pytest.mark.parametrize("spoil", ["missing column", "no files", "not parquet", "no delta package"])
def test_what_cannot_be_read_is_refused(folder, delta, spoil, monkeypatch):
    path = folder
    match spoil:
        case "missing column":
            file = Path(folder, "b.parquet")
            pq.write_table(pq.read_table(file).drop_columns([LABEL]), file)
            message = rf"b\.parquet has no column `{LABEL}`, unlike .*a\.parquet"
        case "no files":
            shutil.rmtree(folder)
            Path(folder).mkdir()
            message = "a folder without Parquet files"
        case "not parquet":
            Path(folder, "b.parquet").write_text("hello, I am not a table")
            message = r"b\.parquet is not a Parquet file"
        case "no delta package":
            path = delta
            monkeypatch.setitem(sys.modules, "deltalake", None)
            message = "needs the package deltalake"
    with pytest.raises(DataRefused, match=message):
        ingest.read_trips(path)


def test_a_file_of_a_folder_counts_as_that_file(folder):
    path = os.path.join(folder, "a.parquet")
    assert sources.opened(path).digest() == files.sha256(path)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a.b.c", True), ("a.b", False), ("/Volumes/a/b/c/x", False), ("./a.b.c", False), ("my.trips.parquet", False)],
)
def test_a_tables_name_has_three_parts(name, is_one):
    assert sources.is_table(name) is is_one
