"""Tables through Spark give what Parquet files give through pandas."""

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_stacks import (
    cleaning,
    inference,
    monitoring,
    schema,
    table_inference,
    tables,
    validation,
    versions,
)
from mlops_stacks.columns import COLUMNS, INPUTS, LABEL
from mlops_stacks.kinds import TEXT, TIME
from mlops_stacks.schema import FINISHED, DataRefused

pytestmark = pytest.mark.spark
NEW, OUT = "spark_catalog.default.new_rows", "spark_catalog.default.predictions"


@pytest.fixture
def table_of_rows(spark, sets):
    """The inference input as a table; the table of predictions does not exist yet."""
    spark.read.parquet(sets.inference_input).write.mode("overwrite").saveAsTable(NEW)
    spark.sql(f"DROP TABLE IF EXISTS {OUT}")
    yield
    for table in (NEW, OUT):
        spark.sql(f"DROP TABLE IF EXISTS {table}")


@pytest.fixture
def champion(register, model_name, sets) -> str:
    rows = sets.clean_training.head(2000)
    version = register(rows, rows[LABEL], rounds=10)
    MlflowClient().set_registered_model_alias(model_name, "champion", version)
    return version


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in the order of their inputs, whichever types a gap gave them."""
    kinds = {name: COLUMNS[name] for name in INPUTS}
    plain = {name: "datetime64[us]" if kind is TIME else object for name, kind in kinds.items() if kind in (TIME, TEXT)}
    plain |= {name: float for name in INPUTS if name not in plain}
    return schema.without_zone(frame).astype(plain).sort_values([*INPUTS], ignore_index=True)


def test_a_table_gets_the_predictions_that_a_file_gets(spark, table_of_rows, champion, model_name, sets, tmp_path):
    scored = table_inference.score(spark, model_name, NEW, OUT, job_run_id="77")
    from_file = inference.score(model_name, sets.inference_input, str(tmp_path))
    ours, theirs = in_order(spark.table(OUT).toPandas()), in_order(pd.read_parquet(from_file.part))
    assert (scored.rows, scored.not_scored) == (from_file.rows, from_file.not_scored)
    assert scored.skipped is False
    assert np.array_equal(ours["prediction"], theirs["prediction"], equal_nan=True)
    assert ours["not_scored"].fillna("").tolist() == theirs["not_scored"].fillna("").tolist()
    assert set(ours["run_id"]) == {"77"}
    assert set(ours["model_version"]) == {champion}
    assert {*INPUTS, *inference.ADDED.names, "input_digest"} == set(ours.columns)


def test_a_table_is_not_scored_twice_but_by_a_new_champion_or_with_new_rows(
    spark, table_of_rows, champion, model_name, register, sets
):
    first = table_inference.score(spark, model_name, NEW, OUT)
    again = table_inference.score(spark, model_name, NEW, OUT)
    assert (again.skipped, again.not_scored, again.rows) == (True, first.not_scored, first.rows)
    assert "already scored" in again.sentence()
    assert spark.table(OUT).count() == first.rows
    rows = sets.clean_training.head(500)
    newer = register(rows, rows[LABEL], rounds=2)
    MlflowClient().set_registered_model_alias(model_name, "champion", newer)
    assert table_inference.score(spark, model_name, NEW, OUT).model_version == newer
    assert spark.table(OUT).count() == 2 * first.rows
    spark.table(NEW).limit(10).write.mode("append").saveAsTable(NEW + "_more")
    more = table_inference.score(spark, model_name, NEW + "_more", OUT)
    spark.sql(f"DROP TABLE {NEW}_more")
    assert (more.skipped, more.rows) == (False, 10)
    assert more.input_digest != first.input_digest


def test_digest_does_not_depend_on_the_order_of_the_rows(spark, table_of_rows, number):
    rows = tables.opened(spark, NEW, INPUTS)
    assert tables.content(rows) == tables.content(rows.orderBy(number))
    changed = rows.withColumn(number, rows[number] + 1)
    assert tables.content(rows)[1] != tables.content(changed)[1]


def test_digest_tells_which_value_is_missing(spark):
    kinds = "a int, b int"
    gaps = [tables.content(spark.createDataFrame([row], kinds))[1] for row in ((None, 7), (7, None))]
    assert gaps[0] != gaps[1]


def test_half_a_table_of_predictions_is_said_and_not_scored_again(spark, table_of_rows, champion, model_name):
    first = table_inference.score(spark, model_name, NEW, OUT)
    half = spark.table(OUT).limit(700).toPandas()
    spark.createDataFrame(half, spark.table(OUT).schema).write.mode("overwrite").saveAsTable(OUT)
    with pytest.raises(
        DataRefused, match=rf"700 predictions of version .* of {first.rows:,} rows.*{first.input_digest}"
    ):
        table_inference.score(spark, model_name, NEW, OUT)
    assert spark.table(OUT).count() == 700


def test_train_and_validate_on_tables(spark, store, sets, model_name, notebook):
    """The same rows as tables give the same model as the files, each time, and the digest of the rows as a tag."""
    training_table, test_table = "spark_catalog.default.training", "spark_catalog.default.test"
    for path, table in ((sets.training, training_table), (sets.test, test_table)):
        spark.read.parquet(path).write.mode("overwrite").saveAsTable(table)
    common = {"model_name": model_name, "experiment_name": store}
    trained = notebook(spark, training_data=training_table, **common).run("Train")
    again = notebook(spark, training_data=training_table, **common).run("Train")
    assert trained["metrics"] == again["metrics"]
    verdict = notebook(spark, test_data=test_table, model_version=trained["model_version"], **common).run(
        "ModelValidation"
    )
    assert verdict["verdict"] == "passed"
    from_file = validation.validate(model_name, trained["model_version"], sets.test)
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


def test_rules_in_sql_say_what_they_say_in_pandas(spark, sets, number):
    from pyspark.sql import functions

    rules = (*cleaning.INPUT_RULES, *cleaning.LABEL_RULES)
    names = [*INPUTS, LABEL]
    rows = spark.read.parquet(sets.training).select(*names)
    gap = rows.limit(20).withColumn(number, functions.lit(None).cast("double"))
    table = rows.union(gap).withColumn("rule", table_inference.broken_rule(rules))
    found = schema.without_zone(table.toPandas())
    expected = pd.Series(None, index=found.index, dtype=object)
    for rule in reversed(rules):
        expected[rule.drops(found[names])] = rule.name
    assert expected.notna().sum() >= 20
    assert found["rule"].fillna("").tolist() == expected.fillna("").tolist()


def test_a_table_is_watched_like_a_file(spark, table_of_rows, champion, model_name, sets, monkeypatch):
    scored = table_inference.score(spark, model_name, NEW, OUT)
    (rows,) = scored.scored_rows()
    assert len(rows) == scored.rows - scored.not_scored
    (finished,) = table_inference.finished_rows(spark, NEW)
    (from_file,) = inference.finished_rows(sets.inference_input)
    assert sorted(finished[LABEL]) == sorted(from_file[LABEL])
    with versions.opened(model_name, champion) as version:
        ours, theirs = (monitoring.errors(version, [found]) for found in (finished, from_file))
    assert ours == pytest.approx(theirs)
    monkeypatch.setattr(table_inference, "ROWS_WATCHED", 500)
    (some,) = scored.scored_rows()
    assert 350 < len(some) < 650
    assert list(table_inference.finished_rows(spark, "spark_catalog.default.nowhere")) == []


def test_a_table_that_does_not_fit_is_refused(spark, table_of_rows, champion, model_name, number):
    with pytest.raises(DataRefused, match=r"table spark_catalog\.default\.nowhere not found"):
        table_inference.score(spark, model_name, "spark_catalog.default.nowhere", OUT)
    spark.table(NEW).drop(number).write.mode("overwrite").saveAsTable(NEW + "_narrow")
    with pytest.raises(DataRefused, match=f"no column `{number}`"):
        table_inference.score(spark, model_name, NEW + "_narrow", OUT)
    spark.sql(f"DROP TABLE {NEW}_narrow")
    with pytest.raises(LookupError, match="alias `nobody`"):
        table_inference.score(spark, model_name, NEW, OUT, alias="nobody")


def test_the_notebook_scores_a_table(spark, table_of_rows, champion, model_name, notebook, store):
    common = {"model_name": model_name, "experiment_name": store, "job_run_id": "4711"}
    infer = notebook(spark, inference_input=NEW, output=OUT, finished_rows=NEW, **common)
    answer = infer.run("BatchInference")
    assert (answer["table"], answer["model_version"]) == (OUT, champion)
    assert answer["rows"] == spark.table(NEW).count()
    assert answer["monitoring"]["metrics"]["finished_rows"] > 0
    assert len(infer.shown[0]) == 10
    assert set(spark.table(OUT).toPandas()["run_id"]) == {"4711"}
