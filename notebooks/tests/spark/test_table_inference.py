"""Tables through Spark give what Parquet files give through pandas."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import cleaning, inference, monitoring, table_inference, tables, validation, versions
from mlops_stacks.columns import INPUTS, LABEL
from mlops_stacks.schema import FINISHED, DataRefused

pytestmark = pytest.mark.spark
NEW, OUT = "spark_catalog.default.new_trips", "spark_catalog.default.predictions"


@pytest.fixture
def tables_of_trips(spark, trips):
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


def test_a_table_gets_the_predictions_that_a_file_gets(spark, tables_of_trips, champion, model_name, trips, tmp_path):
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
    spark, tables_of_trips, champion, model_name, register, trips
):
    first = table_inference.score(spark, model_name, NEW, OUT)
    again = table_inference.score(spark, model_name, NEW, OUT)
    assert (again.skipped, again.not_scored, again.rows) == (True, first.not_scored, first.rows)
    assert "already scored" in again.sentence()
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


def test_digest_does_not_depend_on_the_order_of_the_rows(spark, tables_of_trips):
    trips = tables.opened(spark, NEW, INPUTS)
    assert tables.content(trips) == tables.content(trips.orderBy("trip_distance"))
    changed = trips.replace(10001, 10002, subset=["pickup_zip"])
    assert tables.content(trips)[1] != tables.content(changed)[1]


def test_digest_of_known_rows_never_changes(spark, sample):
    """Records would not be comparable any more: docs/records.md defines it."""
    trips = spark.read.parquet(sample).select(*FINISHED)
    assert tables.content(trips) == (400, "749a8909fead5b1e285e9f09bdf5dfbe406439877aa194141221145c1768d59b")
    kinds = "a int, b int"
    gaps = [tables.content(spark.createDataFrame([row], kinds))[1] for row in ((None, 7), (7, None))]
    assert gaps[0] != gaps[1]


def test_half_a_table_of_predictions_is_said_and_not_scored_again(spark, tables_of_trips, champion, model_name):
    first = table_inference.score(spark, model_name, NEW, OUT)
    half = spark.table(OUT).limit(700).toPandas()
    spark.createDataFrame(half, spark.table(OUT).schema).write.mode("overwrite").saveAsTable(OUT)
    with pytest.raises(DataRefused, match=rf"700 predictions of version .* of 2,000 rows.*{first.input_digest}"):
        table_inference.score(spark, model_name, NEW, OUT)
    assert spark.table(OUT).count() == 700


def test_train_and_validate_on_tables(spark, store, trips, model_name, notebook):
    """The same rows as tables give the same model as the files, each time, and the digest of the rows as a tag."""
    training_table, test_table = "spark_catalog.default.training", "spark_catalog.default.test"
    for path, table in ((trips.training, training_table), (trips.test, test_table)):
        spark.read.parquet(path).write.mode("overwrite").saveAsTable(table)
    common = {"model_name": model_name, "experiment_name": store}
    trained = notebook(spark, training_data=training_table, **common).run("Train")
    again = notebook(spark, training_data=training_table, **common).run("Train")
    assert trained["metrics"] == again["metrics"]
    verdict = notebook(spark, test_data=test_table, model_version=trained["model_version"], **common).run(
        "ModelValidation"
    )
    assert verdict["verdict"] == "passed"
    from_file = validation.validate(model_name, trained["model_version"], trips.test)
    assert verdict["metrics"] == pytest.approx(from_file.candidate)
    tags = MlflowClient().get_model_version(model_name, "1").tags
    rows = tables.opened(spark, training_table, FINISHED)
    assert tags["mlops_training_digest"] == "sha256:" + tables.content(rows)[1]
    with pytest.raises(DataRefused, match="the training set of this version"):
        validation.validate(model_name, "1", training_table, session=spark)
    with pytest.raises(DataRefused, match="needs a Spark session"):
        notebook(training_data=training_table, **common).run("Train")
    for table in (training_table, test_table):
        spark.sql(f"DROP TABLE {table}")


def test_rules_in_sql_say_what_they_say_in_pandas(spark):
    rules = (*cleaning.INPUT_RULES, *cleaning.LABEL_RULES)
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


def test_a_table_is_watched_like_a_file(spark, tables_of_trips, champion, model_name, trips, monkeypatch):
    scored = table_inference.score(spark, model_name, NEW, OUT)
    (rows,) = scored.scored_rows()
    assert len(rows) == scored.rows - scored.not_scored
    (finished,) = table_inference.finished_trips(spark, NEW)
    (from_file,) = inference.finished_trips(trips.inference_input)
    assert sorted(finished[LABEL]) == sorted(from_file[LABEL])
    with versions.opened(model_name, champion) as version:
        ours, theirs = (monitoring.errors(version, [found]) for found in (finished, from_file))
    assert ours == pytest.approx(theirs)
    monkeypatch.setattr(table_inference, "ROWS_WATCHED", 500)
    (some,) = scored.scored_rows()
    assert 350 < len(some) < 650
    assert list(table_inference.finished_trips(spark, "spark_catalog.default.nowhere")) == []


def test_a_table_that_does_not_fit_is_refused(spark, tables_of_trips, champion, model_name):
    with pytest.raises(DataRefused, match=r"table spark_catalog\.default\.nowhere not found"):
        table_inference.score(spark, model_name, "spark_catalog.default.nowhere", OUT)
    spark.table(NEW).drop("pickup_zip").write.mode("overwrite").saveAsTable(NEW + "_narrow")
    with pytest.raises(DataRefused, match="no column `pickup_zip`"):
        table_inference.score(spark, model_name, NEW + "_narrow", OUT)
    spark.sql(f"DROP TABLE {NEW}_narrow")
    with pytest.raises(LookupError, match="alias `nobody`"):
        table_inference.score(spark, model_name, NEW, OUT, alias="nobody")


def test_the_notebook_scores_a_table(spark, tables_of_trips, champion, model_name, notebook, store):
    common = {"model_name": model_name, "experiment_name": store, "job_run_id": "4711"}
    infer = notebook(spark, inference_input=NEW, output=OUT, finished_trips=NEW, **common)
    answer = infer.run("BatchInference")
    assert (answer["table"], answer["rows"], answer["model_version"]) == (OUT, 2000, champion)
    assert answer["monitoring"]["metrics"]["finished_rows"] > 1900
    assert len(infer.shown[0]) == 10
    assert set(spark.table(OUT).toPandas()["run_id"]) == {"4711"}
