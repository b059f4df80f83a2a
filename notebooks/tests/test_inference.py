import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from mlops_stacks import inference, versions
from mlops_stacks.cleaning import INPUT_RULES
from mlops_stacks.columns import INPUTS, LABEL
from mlops_stacks.schema import DataRefused, with_exact_types


@pytest.fixture
def champion(register, model_name, sets) -> str:
    rows = sets.clean_training.head(2000)
    version = register(rows, rows[LABEL], rounds=10)
    MlflowClient().set_registered_model_alias(model_name, "champion", version)
    return version


def without_values(source: str, column: str, path: str) -> str:
    """The same file with no value in a column of the first three rows."""
    table = pq.read_table(source)
    field, values = table.schema.field(column), table[column].to_pylist()
    emptied = pa.array([None, None, None, *values[3:]], field.type)
    pq.write_table(table.set_column(table.column_names.index(column), field, emptied), path)
    return path


@pytest.fixture
def new_rows(sets, number, tmp_path) -> str:
    """The inference input, with no number in its first rows."""
    return without_values(sets.inference_input, number, str(tmp_path / "new.parquet"))


def test_every_row_is_answered_once_and_equals_plain_predict(champion, model_name, new_rows, tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "ROWS_PER_BATCH", 700)
    scored = inference.score(model_name, new_rows, str(tmp_path / "out"), job_run_id="77")
    written, source = pd.read_parquet(scored.part), pd.read_parquet(new_rows)
    assert (scored.rows, len(written), scored.skipped) == (len(source), len(source), False)
    assert scored.not_scored == written["not_scored"].notna().sum() >= 3
    assert (written["prediction"].isna() == written["not_scored"].notna()).all()
    assert set(written["not_scored"].dropna()) <= {rule.name for rule in INPUT_RULES}
    assert set(written["model_version"]) == {champion}
    assert set(written["run_id"]) == {"77"}
    assert str(written["scored_at"].dt.tz) == "UTC"
    good = written["not_scored"].isna()
    rows = with_exact_types(source.loc[good, list(INPUTS)])
    with versions.opened(model_name, champion) as version:
        assert np.array_equal(version.predict(rows), written.loc[good, "prediction"])
    assert len(scored.sample(3)) == 3


def test_the_same_input_is_not_scored_twice_but_by_a_new_champion(champion, model_name, sets, tmp_path, register):
    output = str(tmp_path / "out")
    first = inference.score(model_name, sets.test, output)
    before = os.stat(first.part).st_mtime_ns
    again = inference.score(model_name, sets.test, output)
    assert again == replace(first, skipped=True)
    assert os.stat(first.part).st_mtime_ns == before
    rows = sets.clean_training.head(500)
    newer = register(rows, rows[LABEL], rounds=2)
    MlflowClient().set_registered_model_alias(model_name, "champion", newer)
    assert inference.score(model_name, sets.test, output).model_version == newer
    assert len(os.listdir(output)) == 2


def test_a_run_that_breaks_off_leaves_nothing_behind(champion, model_name, sets, tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "scored_batch", lambda *_: (_ for _ in ()).throw(MemoryError("too much")))
    with pytest.raises(MemoryError):
        inference.score(model_name, sets.test, str(tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == []


def test_a_missing_alias_is_named(champion, model_name, sets, tmp_path):
    with pytest.raises(LookupError, match="alias `nobody`"):
        inference.score(model_name, sets.test, str(tmp_path), alias="nobody")


def test_input_that_does_not_fit_is_refused(champion, model_name, sets, number, tmp_path):
    with pytest.raises(DataRefused, match="does not exist"):
        inference.score(model_name, str(tmp_path / "none.parquet"), str(tmp_path))
    path = str(tmp_path / "narrow.parquet")
    pq.write_table(pq.read_table(sets.test).drop_columns([number]), path)
    with pytest.raises(DataRefused, match=f"no column `{number}`"):
        inference.score(model_name, path, str(tmp_path / "out"))


def test_scored_rows_are_those_with_a_prediction(champion, model_name, new_rows, tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "ROWS_PER_BATCH", 700)
    scored = inference.score(model_name, new_rows, str(tmp_path / "out"))
    batches = list(scored.scored_rows())
    assert len(batches) > 1
    assert sum(len(batch) for batch in batches) == scored.rows - scored.not_scored
    assert all(list(batch.columns) == list(INPUTS) for batch in batches)
    assert not any(batch.isna().to_numpy().any() for batch in batches)


def test_finished_rows_are_those_with_a_label_that_makes_sense(sets, tmp_path):
    path = without_values(sets.test, LABEL, str(tmp_path / "some.parquet"))
    (found,) = inference.finished_rows(path)
    assert 0 < len(found) <= pq.read_metadata(path).num_rows - 3
    assert found[LABEL].notna().all()
    narrow = str(tmp_path / "no-labels.parquet")
    pq.write_table(pq.read_table(sets.test).drop_columns([LABEL]), narrow)
    for nothing in ("", str(tmp_path / "not-there.parquet"), narrow):
        assert list(inference.finished_rows(nothing)) == []
