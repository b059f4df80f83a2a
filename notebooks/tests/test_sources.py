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
from mlops_stacks.columns import COLUMNS, LABEL
from mlops_stacks.kinds import TIME
from mlops_stacks.schema import DataRefused


@pytest.fixture
def folder(sets, tmp_path) -> str:
    """The training set in three files of a folder, beside what is no data."""
    whole = pq.read_table(sets.training)
    (tmp_path / "set" / "later").mkdir(parents=True)
    third = whole.num_rows // 3
    parts = (("a.parquet", 0, third), ("b.parquet", third, third), ("later/a.parquet", 2 * third, whole.num_rows))
    for name, first, rows in parts:
        pq.write_table(whole.slice(first, rows), tmp_path / "set" / name)
    (tmp_path / "set" / "_SUCCESS").touch()
    (tmp_path / "set" / "_half.parquet").write_text("an unfinished file")
    return str(tmp_path / "set")


@pytest.fixture
def delta(sets, tmp_path) -> str:
    """The training set as a Delta table, with two commits."""
    path = str(tmp_path / "delta")
    whole = pq.read_table(sets.training)
    deltalake.write_deltalake(path, whole.slice(0, whole.num_rows // 2))
    deltalake.write_deltalake(path, whole.slice(whole.num_rows // 2), mode="append")
    return path


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns), ignore_index=True)


def test_a_folder_has_the_rows_of_its_files_in_order(folder, sets):
    read, whole = ingest.read_clean(folder), ingest.read_clean(sets.training)
    pd.testing.assert_frame_equal(read.frame, whole.frame)
    assert (read.rows_read, read.dropped) == (whole.rows_read, whole.dropped)


def test_a_delta_table_has_the_rows_of_its_latest_version(delta, sets, number):
    read, whole = ingest.read_clean(delta), ingest.read_clean(sets.training)
    pd.testing.assert_frame_equal(in_order(read.frame), in_order(whole.frame))
    middle = whole.frame[number].median()
    deltalake.DeltaTable(delta).delete(f"{number} > {middle}")
    assert ingest.read_clean(delta).frame[number].max() <= middle


def test_digest_of_a_folder_is_that_of_names_lengths_and_contents(tmp_path, sets):
    shutil.copy(sets.test, tmp_path / "rows.parquet")
    digest = sources.opened(str(tmp_path)).digest()
    content = Path(sets.test).read_bytes()
    line = f"rows.parquet\0{len(content)}\0{hashlib.sha256(content).hexdigest()}\n"
    assert digest == hashlib.sha256(line.encode()).hexdigest()
    os.rename(tmp_path / "rows.parquet", tmp_path / "other.parquet")
    assert sources.opened(str(tmp_path)).digest() != digest


def test_digest_of_a_delta_table_is_that_of_its_version_wherever_it_is(delta, tmp_path, sets, number):
    first = sources.opened(delta).digest()
    assert sources.opened(delta).digest() == first
    shutil.copytree(delta, tmp_path / "copy")
    assert sources.opened(str(tmp_path / "copy")).digest() == first
    deltalake.DeltaTable(delta).delete(f"{number} > {sets.clean_training[number].median()}")
    later = sources.opened(delta).digest()
    assert later != first
    deltalake.DeltaTable(delta).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    assert sources.opened(delta).digest() == later


def test_times_with_a_zone_are_read_as_they_are_in_utc():
    times = pd.Series(pd.to_datetime(["2026-03-01 10:00"])).dt.tz_localize("America/New_York")
    plain = schema.without_zone(pd.DataFrame({"at": times, "number": [1.0]}))
    assert plain["at"].tolist() == [pd.Timestamp("2026-03-01 15:00")]


def test_a_delta_table_is_trained_on_validated_with_and_scored(store, delta, sets, model_name, tmp_path):
    test = str(tmp_path / "test-delta")
    zoned = pq.read_table(sets.test)
    times = pa.timestamp("us", tz="UTC")
    for name in [name for name, kind in COLUMNS.items() if kind is TIME]:
        zoned = zoned.set_column(zoned.column_names.index(name), name, zoned[name].cast(times))
    deltalake.write_deltalake(test, zoned)
    trained = training.train(delta, model_name, settings=training.Settings(rounds=120))
    tags = MlflowClient().get_model_version(model_name, trained.model_version).tags
    assert tags["mlops_training_digest"] == "sha256:" + sources.opened(delta).digest()
    with pytest.raises(DataRefused, match="the training set of this version"):
        validation.validate(model_name, trained.model_version, delta)
    report = validation.validate(model_name, trained.model_version, test)
    plain = validation.validate(model_name, trained.model_version, sets.test)
    assert (report.verdict, report.candidate) == (plain.verdict, pytest.approx(plain.candidate))
    scored = inference.score(model_name, test, str(tmp_path / "out"), alias="challenger")
    assert (scored.rows, scored.skipped) == (zoned.num_rows, False)
    assert inference.score(model_name, test, str(tmp_path / "out"), alias="challenger").skipped is True
    assert sum(len(batch) for batch in inference.finished_rows(test)) >= len(sets.clean_test)  # duplicates stay


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
        ingest.read_clean(path)


def test_a_file_of_a_folder_counts_as_that_file(folder):
    path = os.path.join(folder, "a.parquet")
    assert sources.opened(path).digest() == files.sha256(path)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a.b.c", True), ("a.b", False), ("/Volumes/a/b/c/x", False), ("./a.b.c", False), ("my.rows.parquet", False)],
)
def test_a_tables_name_has_three_parts(name, is_one):
    assert sources.is_table(name) is is_one
