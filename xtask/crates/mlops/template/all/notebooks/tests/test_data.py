"""The data sets, and the features of columns.py."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from mlops_stacks import data, features, files
from mlops_stacks.columns import COLUMNS, INPUTS, LATER_BY
from mlops_stacks.schema import DataRefused

NAMES = ("inference_input", "test", "training")


def test_same_seed_writes_the_same_bytes(tmp_path):
    for folder in ("first", "again"):
        data.make(str(tmp_path / folder), rows=400, seed=3)
    digests = [
        [files.sha256(str(tmp_path / folder / f"{name}.parquet")) for name in NAMES] for folder in ("first", "again")
    ]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


def test_a_sample_is_cut_in_order_of_time(tmp_path, sets, monkeypatch):
    monkeypatch.setattr(data, "SAMPLE", sets.training)
    written = data.make(str(tmp_path), rows=1000)
    assert written == {"training.parquet": 1000, "test.parquet": 250, "inference_input.parquet": 250}
    first, second = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("training", "test"))
    assert first.column_names == list(COLUMNS)
    if LATER_BY:
        assert max(first[LATER_BY].to_pylist()) <= min(second[LATER_BY].to_pylist())


def test_a_sample_without_a_column_is_refused_with_its_name(tmp_path, sets, monkeypatch, number):
    narrow = str(tmp_path / "narrow.parquet")
    pq.write_table(pq.read_table(sets.training).drop_columns([number]), narrow)
    monkeypatch.setattr(data, "SAMPLE", narrow)
    with pytest.raises(DataRefused, match=f"has no column `{number}`"):
        data.make(str(tmp_path / "out"))


def test_command_line_writes_and_refuses(tmp_path, capsys):
    assert data.main(["make", "--out", str(tmp_path / "new"), "--rows", "400"]) == 0
    assert sorted(path.stem for path in (tmp_path / "new").iterdir()) == list(NAMES)
    assert "training.parquet: 400 rows" in capsys.readouterr().out
    assert data.main(["make", "--out", str(tmp_path), "--rows", "7"]) == 1
    assert "--rows 100" in capsys.readouterr().err


def test_every_input_has_a_feature_that_is_a_number(sets):
    named = (*features.NUMBERS, *features.TIMES, *features.CATEGORIES)
    assert set(named) == set(INPUTS), "features.py names other columns than INPUTS of columns.py"
    table = features.Features().fit_transform(sets.clean_test[list(INPUTS)])
    assert list(table.columns) == list(features.FEATURES)
    assert np.isfinite(table.to_numpy()).all()
