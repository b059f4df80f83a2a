"""Scores a table with Spark: the same rules, the same columns and the same promise as inference.py for Parquet files.

Used when the input is a table's name (`catalog.schema.table`); MLflow's `spark_udf` brings the model to the executors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING

import mlflow
import pandas as pd

from mlops_stacks import inference, records, tables
from mlops_stacks.cleaning import INPUT_RULES, LABEL_RULES
from mlops_stacks.columns import COLUMNS, INPUTS, LABEL, PROBLEM
from mlops_stacks.row_rule import Rule
from mlops_stacks.schema import DataRefused

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

INPUT_DIGEST = "input_digest"
"""Column of the output table: the digest of the input that a row was scored with."""

ROWS_WATCHED = 200_000
"""Monitoring looks at a sample of about this many rows: more would not change its numbers."""


@dataclass(frozen=True)
class ScoredTable:
    """What inference did to a table.

    Attributes:
        table: the table that holds the predictions.
        input_digest: digest of what was scored.
        model_version: the version that made them.
        rows: rows added; each input row has one.
        not_scored: rows among them without a prediction, as an input rule forbids it.
        skipped: True when this input had been scored by this version before, and nothing was done.
    """

    table: str
    input_digest: str
    model_version: str
    rows: int
    not_scored: int
    skipped: bool
    session: "SparkSession" = field(repr=False, compare=False)

    def sentence(self) -> str:
        """What happened, for people to read."""
        return inference.sentence(self.table, self.model_version, self.rows, self.not_scored, self.skipped)

    def summary(self) -> dict[str, object]:
        """What the notebook answers with, as JSON."""
        names = ("table", "input_digest", "model_version", "rows", "not_scored", "skipped")
        return {name: getattr(self, name) for name in names}

    def scored_rows(self) -> Iterator[pd.DataFrame]:
        """The input columns of rows that have a prediction: all of them, or a random sample of a large table."""
        rows = added_rows(self.session, self.table, self.input_digest, self.model_version)
        yield sample(rows.where("not_scored IS NULL").select(*INPUTS), self.rows)

    def sample(self, rows: int = 10) -> pd.DataFrame:
        """Some of the predictions."""
        return added_rows(self.session, self.table, self.input_digest, self.model_version).limit(rows).toPandas()


def score(
    spark: "SparkSession",
    model_name: str,
    inference_input: str,
    output: str,
    alias: str = records.CHAMPION,
    job_run_id: str = "",
) -> ScoredTable:
    """Scores a table and appends the result to the table `output`, which is created if it is missing.

    Each row of the output names the input's digest and the version, so a second run for the same input finds them.

    Args:
        spark: the session.
        model_name: registered model.
        inference_input: name of the table; only the INPUTS of columns.py are read.
        output: name of the table of predictions.
        alias: which version scores.
        job_run_id: written beside each prediction.
    """
    if PROBLEM.width > 1:
        raise DataRefused(
            f"probabilities of several classes of {PROBLEM.answer} can only be written to files, not to a table"
        )
    version = inference.version_to_use(model_name, alias)
    frame = tables.opened(spark, inference_input, INPUTS)
    rows, sha256 = tables.content(frame)
    digest = records.dataset_digest(sha256)
    if rows == 0:
        raise DataRefused(f"{inference_input} has no rows to score")
    present = added_rows(spark, output, digest, version).count() if spark.catalog.tableExists(output) else 0
    if present not in (0, rows):
        raise DataRefused(
            f"{output} has {present:,} predictions of version {version} for this input of {rows:,} rows: an earlier run "
            f"was interrupted, or two ran at once. Delete the rows where {INPUT_DIGEST} = '{digest}' and run again"
        )
    skipped = present == rows
    if not skipped:
        predict = mlflow.pyfunc.spark_udf(
            spark, f"models:/{model_name}/{version}", result_type="double", env_manager="local"
        )
        stamp = {"model_name": model_name, "model_version": version, "run_id": job_run_id}
        with_predictions(frame, predict, stamp | {INPUT_DIGEST: digest}).write.mode("append").saveAsTable(output)
    added = added_rows(spark, output, digest, version)
    return ScoredTable(output, digest, version, rows, added.where("not_scored IS NOT NULL").count(), skipped, spark)


def broken_rule(rules: tuple[Rule, ...]) -> "Column":
    """The name of the first rule that a row breaks, null when it keeps all."""
    from pyspark.sql import functions

    otherwise = functions.lit(None).cast("string")
    return reduce(lambda rest, r: functions.when(functions.expr(r.sql), r.name).otherwise(rest), rules[::-1], otherwise)


def with_predictions(frame: "DataFrame", predict: object, stamp: dict[str, str]) -> "DataFrame":
    """Each row with its prediction, or with the rule that forbids one, and with who made it when."""
    from pyspark.sql import functions

    ruled = frame.withColumn("not_scored", broken_rule(INPUT_RULES))
    good = functions.col("not_scored").isNull()
    asked = [
        functions.when(good, functions.col(name))
        .otherwise(functions.lit(COLUMNS[name].placeholder).cast(frame.schema[name].dataType))
        .alias(name)
        for name in INPUTS
    ]
    prediction = functions.when(good, predict(functions.struct(*asked)))
    scored = ruled.select(*INPUTS, prediction.alias("prediction"), "not_scored")
    stamped = scored.select("*", *[functions.lit(value).alias(name) for name, value in stamp.items()])
    return stamped.withColumn("scored_at", functions.lit(datetime.now(UTC)))


def added_rows(spark: "SparkSession", table: str, digest: str, version: str) -> "DataFrame":
    """What this version added for this input."""
    rows = spark.table(table)
    return rows.where((rows[INPUT_DIGEST] == digest) & (rows["model_version"] == version))


def finished_rows(spark: "SparkSession", table: str) -> Iterator[pd.DataFrame]:
    """Clean rows of a table whose label is known, a sample of a large one; none when there are no labels (yet)."""
    if not spark.catalog.tableExists(table) or LABEL not in spark.table(table).columns:
        return
    frame = spark.table(table).select(*INPUTS, LABEL)
    yield sample(frame.where(broken_rule((*INPUT_RULES, *LABEL_RULES)).isNull()), frame.count())


def sample(rows: "DataFrame", count: int) -> pd.DataFrame:
    """All of about `count` rows, or about ROWS_WATCHED of them, the same each time."""
    return (rows if count <= ROWS_WATCHED else rows.sample(ROWS_WATCHED / count, seed=1)).toPandas()
