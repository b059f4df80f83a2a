"""Tables through Spark give what Parquet files give through pandas."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import inference, ingest, monitoring, registry, table_inference
from mlops_stacks.ingest import INPUTS, LABEL, DataRefused

pytestmark = pytest.mark.spark
NEW, OUT = "spark_catalog.default.new_trips", "spark_catalog.default.predictions"


@pytest.fixture
def tables(spark, trips):
    """The inference input as a table; the table of predictions does not exist yet."""
    spark.read.parquet(trips.inference_input).write.mode("overwrite").saveAsTable(NEW)
    spark.sql(f"DROP TABLE IF EXISTS {OUT}")
    yield
    for table in (NEW, OUT):
        spark.sql(f"DROP TABLE IF EXISTS {table}")


@pytest.fixture
def champion(register, model_name, trips) -> str:
    rows = trips.clean_training.head(2000)
    version = register(rows, rows[LABEL], rounds=10)
    MlflowClient().set_registered_model_alias(model_name, "champion", version)
    return version


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    plain = frame.astype({"tpep_pickup_datetime": "datetime64[us]", "trip_distance": float, "pickup_zip": float})
    return plain.sort_values([*INPUTS], ignore_index=True)


def test_a_table_gets_the_predictions_that_a_file_gets(spark, tables, champion, model_name, trips, tmp_path):
    scored = table_inference.score(spark, model_name, NEW, OUT, job_run_id="77")
    from_file = inference.score(model_name, trips.inference_input, str(tmp_path))
    ours, theirs = in_order(spark.table(OUT).toPandas()), in_order(pd.read_parquet(from_file.part))
    assert (scored.rows, scored.not_scored) == (from_file.rows, from_file.not_scored)
    assert scored.skipped is False
    assert np.array_equal(ours["prediction"], theirs["prediction"], equal_nan=True)
    assert ours["not_scored"].fillna("").tolist() == theirs["not_scored"].fillna("").tolist()
    assert set(ours["run_id"]) == {"77"}
    assert set(ours["model_version"]) == {champion}
    assert {*INPUTS, *inference.ADDED.names, "input_digest"} == set(ours.columns)


def test_a_table_is_not_scored_twice_but_by_a_new_champion_or_with_new_rows(
    spark, tables, champion, model_name, register, trips
):
    first = table_inference.score(spark, model_name, NEW, OUT)
    again = table_inference.score(spark, model_name, NEW, OUT)
    assert (again.skipped, again.not_scored, again.rows) == (True, first.not_scored, first.rows)
    assert "before" in again.sentence()
    assert spark.table(OUT).count() == 2000
    rows = trips.clean_training.head(500)
    newer = register(rows, rows[LABEL], rounds=2)
    MlflowClient().set_registered_model_alias(model_name, "champion", newer)
    assert table_inference.score(spark, model_name, NEW, OUT).model_version == newer
    assert spark.table(OUT).count() == 4000
    spark.table(NEW).limit(10).write.mode("append").saveAsTable(NEW + "_more")
    more = table_inference.score(spark, model_name, NEW + "_more", OUT)
    spark.sql(f"DROP TABLE {NEW}_more")
    assert (more.skipped, more.rows) == (False, 10)
    assert more.input_digest != first.input_digest


def test_digest_does_not_depend_on_the_order_of_the_rows(spark, tables):
    trips = table_inference.read_inputs(spark, NEW)
    assert table_inference.content(trips) == table_inference.content(trips.orderBy("trip_distance"))
    changed = trips.replace(10001, 10002, subset=["pickup_zip"])
    assert table_inference.content(trips)[1] != table_inference.content(changed)[1]


def test_rules_in_sql_say_what_they_say_in_pandas(spark):
    rules = (*ingest.INPUT_RULES, *ingest.FARE_RULES)
    start = datetime(2026, 1, 1)
    good = (start, 2.0, 10001, 11201, 9.0)
    rows = [good]
    for place, value in [
        (0, None),
        (1, None),
        (2, None),
        (3, None),
        (1, 0.0),
        (1, 201.0),
        (4, None),
        (4, 0.0),
        (4, 401.0),
    ]:
        rows.append((*good[:place], value, *good[place + 1 :]))
    kinds = (
        "tpep_pickup_datetime timestamp_ntz, trip_distance double, pickup_zip int, dropoff_zip int, fare_amount double"
    )
    table = spark.createDataFrame(rows, kinds)
    found = table.select(table_inference.broken_rule(rules).alias("rule")).toPandas()["rule"]
    frame = pd.DataFrame(rows, columns=[*INPUTS, LABEL])
    expected = [
        next((rule.name for rule in rules if rule.drops(frame.iloc[[i]]).any()), None) for i in range(len(rows))
    ]
    assert [value if isinstance(value, str) else None for value in found] == expected
    assert set(expected) == {None, *(rule.name for rule in rules)}


def test_a_table_is_watched_like_a_file(spark, tables, champion, model_name, trips, monkeypatch):
    scored = table_inference.score(spark, model_name, NEW, OUT)
    (rows,) = scored.scored_rows()
    assert len(rows) == scored.rows - scored.not_scored
    (finished,) = table_inference.finished_trips(spark, NEW)
    (from_file,) = inference.finished_trips(trips.inference_input)
    assert sorted(finished[LABEL]) == sorted(from_file[LABEL])
    with registry.loaded(model_name, champion) as version:
        ours, theirs = (monitoring.errors(version.model, [found]) for found in (finished, from_file))
    assert ours == pytest.approx(theirs)
    monkeypatch.setattr(table_inference, "ROWS_WATCHED", 500)
    (some,) = scored.scored_rows()
    assert 350 < len(some) < 650
    assert list(table_inference.finished_trips(spark, "spark_catalog.default.nowhere")) == []


def test_a_table_that_does_not_fit_is_refused(spark, tables, champion, model_name):
    with pytest.raises(DataRefused, match=r"no table spark_catalog\.default\.nowhere"):
        table_inference.score(spark, model_name, "spark_catalog.default.nowhere", OUT)
    spark.table(NEW).drop("pickup_zip").write.mode("overwrite").saveAsTable(NEW + "_narrow")
    with pytest.raises(DataRefused, match="no column `pickup_zip`"):
        table_inference.score(spark, model_name, NEW + "_narrow", OUT)
    spark.sql(f"DROP TABLE {NEW}_narrow")
    with pytest.raises(LookupError, match="alias `nobody`"):
        table_inference.score(spark, model_name, NEW, OUT, alias="nobody")


def test_the_notebook_scores_a_table(spark, tables, champion, model_name, notebook, store):
    common = {"model_name": model_name, "experiment_name": store, "job_run_id": "4711"}
    infer = notebook(spark, inference_input=NEW, output=OUT, finished_trips=NEW, **common)
    answer = infer.run("BatchInference")
    assert (answer["table"], answer["rows"], answer["model_version"]) == (OUT, 2000, champion)
    assert answer["monitoring"]["metrics"]["finished_rows"] > 1900
    assert len(infer.shown[0]) == 10
    assert set(spark.table(OUT).toPandas()["run_id"]) == {"4711"}
