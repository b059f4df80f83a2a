"""Scores files with pandas, or a table with Spark: the name of the input decides which."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from mlops_stacks import inference, records, sources, table_inference, tables
from mlops_stacks.schema import DataRefused

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
        inference_input: path of a Parquet file, of a folder of them or of a Delta table's folder; or a table's full name.
        output: a folder for predictions of files, a table's full name for those of a table.
        alias: which version scores.
        job_run_id: written beside each prediction.
    """
    if sources.is_table(inference_input) != sources.is_table(output):
        raise DataRefused(
            f"inference_input `{inference_input}` and output `{output}` must either both be tables (catalog.schema.table), "
            "or paths: a Parquet file or folder, and an output folder"
        )
    if sources.is_table(inference_input):
        return table_inference.score(
            tables.required(session, inference_input), model_name, inference_input, output, alias, job_run_id
        )
    return inference.score(model_name, inference_input, output, alias, job_run_id)


def finished_rows(session: "SparkSession | None", name: str) -> Iterator[pd.DataFrame]:
    """Clean rows whose label is known, of files or a table; none when there are no labels (yet)."""
    if sources.is_table(name):
        return table_inference.finished_rows(tables.required(session, name), name)
    return inference.finished_rows(name)
