"""Scores a Parquet file with pandas, or a table with Spark: the name of the input decides which."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from mlops_stacks import inference, records, table_inference
from mlops_stacks.ingest import DataRefused

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def is_table(name: str) -> bool:
    """Whether this is a table's full name, `catalog.schema.table`, and not a path."""
    return "/" not in name and name.count(".") == 2 and not name.endswith(".parquet")


def score(
    session: "SparkSession | None",
    model_name: str,
    inference_input: str,
    output: str,
    alias: str = records.CHAMPION,
    job_run_id: str = "",
) -> inference.Scored | table_inference.ScoredTable:
    """Scores what `inference_input` names; see `score` in inference.py and table_inference.py.

    Args:
        session: the Spark session, None where there is none.
        model_name: registered model.
        inference_input: path of a Parquet file, or a table's full name.
        output: a folder for a file's predictions, a table's full name for those of a table.
        alias: which version scores.
        job_run_id: written beside each prediction.
    """
    if is_table(inference_input) != is_table(output):
        raise DataRefused(
            f"inference_input `{inference_input}` and output `{output}` must both be tables (catalog.schema.table), "
            "or a Parquet file's path and a folder's"
        )
    if is_table(inference_input):
        return table_inference.score(
            required(session, inference_input), model_name, inference_input, output, alias, job_run_id
        )
    return inference.score(model_name, inference_input, output, alias, job_run_id)


def finished_trips(session: "SparkSession | None", name: str) -> Iterator[pd.DataFrame]:
    """Clean trips whose fare is known, of a Parquet file or a table; none when there are no fares (yet)."""
    if is_table(name):
        return table_inference.finished_trips(required(session, name), name)
    return inference.finished_trips(name)


def required(session: "SparkSession | None", table: str) -> "SparkSession":
    """The session, or an error that says what to do without one."""
    if session is None:
        raise DataRefused(f"{table} is a table, which needs a Spark session, and here is none; give a Parquet file")
    return session
