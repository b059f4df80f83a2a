import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from mlops_stacks import inference, versions
from mlops_stacks.columns import INPUTS, LABEL
from mlops_stacks.schema import DataRefused


@pytest.fixture
def champion(register, model_name, trips) -> str:
    rows = trips.clean_training.head(2000)
    version = register(rows, rows[LABEL], rounds=10)
    MlflowClient().set_registered_model_alias(model_name, "champion", version)
    return version


def test_every_row_is_answered_once_and_equals_plain_predict(champion, model_name, trips, tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "ROWS_PER_BATCH", 700)
    scored = inference.score(model_name, trips.inference_input, str(tmp_path / "out"), job_run_id="77")
    written, source = pd.read_parquet(scored.part), pd.read_parquet(trips.inference_input)
    assert (scored.rows, len(written), scored.skipped) == (len(source), len(source), False)
    assert scored.not_scored == written["not_scored"].notna().sum() > 0
    assert (written["prediction"].isna() == written["not_scored"].notna()).all()
    assert set(written["not_scored"].dropna()) == {"missing_value", "no_distance"}
    assert set(written["model_version"]) == {champion}
    assert set(written["run_id"]) == {"77"}
    assert str(written["scored_at"].dt.tz) == "UTC"
    good = written["not_scored"].isna()
    rows = source.loc[good, list(INPUTS)].astype({"pickup_zip": "int32"})
    with versions.opened(model_name, champion) as version:
        assert np.array_equal(version.predict(rows), written.loc[good, "prediction"])
    assert len(scored.sample(3)) == 3


def test_the_same_input_is_not_scored_twice_but_by_a_new_champion(champion, model_name, trips, tmp_path, register):
    output = str(tmp_path / "out")
    first = inference.score(model_name, trips.test, output)
    before = os.stat(first.part).st_mtime_ns
    again = inference.score(model_name, trips.test, output)
    assert again == replace(first, skipped=True)
    assert os.stat(first.part).st_mtime_ns == before
    rows = trips.clean_training.head(500)
    newer = register(rows, rows[LABEL], rounds=2)
    MlflowClient().set_registered_model_alias(model_name, "champion", newer)
    assert inference.score(model_name, trips.test, output).model_version == newer
    assert len(os.listdir(output)) == 2


def test_a_run_that_breaks_off_leaves_nothing_behind(champion, model_name, trips, tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "scored_batch", lambda *_: (_ for _ in ()).throw(MemoryError("too much")))
    with pytest.raises(MemoryError):
        inference.score(model_name, trips.test, str(tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == []


def test_a_missing_alias_is_named(champion, model_name, trips, tmp_path):
    with pytest.raises(LookupError, match="alias `nobody`"):
        inference.score(model_name, trips.test, str(tmp_path), alias="nobody")


def test_input_that_does_not_fit_is_refused(champion, model_name, trips, tmp_path):
    with pytest.raises(DataRefused, match="does not exist"):
        inference.score(model_name, str(tmp_path / "none.parquet"), str(tmp_path))
    path = str(tmp_path / "narrow.parquet")
    pq.write_table(pq.read_table(trips.test).drop_columns(["pickup_zip"]), path)
    with pytest.raises(DataRefused, match="no column `pickup_zip`"):
        inference.score(model_name, path, str(tmp_path / "out"))


def test_scored_rows_are_those_with_a_prediction(champion, model_name, trips, tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "ROWS_PER_BATCH", 700)
    scored = inference.score(model_name, trips.inference_input, str(tmp_path / "out"))
    batches = list(scored.scored_rows())
    assert len(batches) > 1
    assert sum(len(batch) for batch in batches) == scored.rows - scored.not_scored
    assert all(list(batch.columns) == list(INPUTS) for batch in batches)
    assert not any(batch.isna().to_numpy().any() for batch in batches)


def test_finished_trips_are_those_with_a_fare_that_makes_sense(trips, tmp_path):
    (found,) = inference.finished_trips(trips.test)
    source = pd.read_parquet(trips.test)
    assert 0.97 * len(source) < len(found) < len(source)
    assert found[LABEL].between(0.01, 400).all()
    narrow = str(tmp_path / "no-fares.parquet")
    pq.write_table(pq.read_table(trips.test).drop_columns([LABEL]), narrow)
    for path in ("", str(tmp_path / "not-there.parquet"), narrow):
        assert list(inference.finished_trips(path)) == []
