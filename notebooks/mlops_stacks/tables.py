"""Tables that Spark reads, by their full names (`catalog.schema.table`). Nothing here starts Spark: a session is given."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from mlops_stacks.columns import COLUMNS
from mlops_stacks.schema import DataRefused, check_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def required(session: "SparkSession | None", table: str) -> "SparkSession":
    """The session, or an error that says what to do without one."""
    if session is None:
        raise DataRefused(f"{table} is a table, which needs a Spark session, but there is none; use a Parquet file")
    return session


def opened(spark: "SparkSession", table: str, columns: Sequence[str]) -> "DataFrame":
    """These columns of a table in the types of the model's signature, after a look at its schema."""
    from pyspark.sql import functions
    from pyspark.sql.pandas.types import to_arrow_schema

    if not spark.catalog.tableExists(table):
        raise DataRefused(f"table {table} not found; use a table's full name or a Parquet file's path")
    rows = spark.table(table)
    check_schema(to_arrow_schema(rows.schema), tuple(columns), table)
    read = [(functions.col(name), name, COLUMNS[name].spark) for name in columns]
    return rows.select(*[column.cast(kind).alias(name) if kind else column for column, name, kind in read])


def content(rows: "DataFrame") -> tuple[int, str]:
    """Number of rows, and a digest of them (64 hex digits) that does not depend on their order.

    The SHA-256 of `<rows> <sum>`, the sum being that of Spark's xxhash64 of each row. A gap counts as a value of its own.
    """
    from pyspark.sql import functions

    gaps = [functions.isnull(name) for name in rows.columns]
    digest = functions.xxhash64(*rows.columns, *gaps).cast("decimal(38,0)")
    found = rows.agg(functions.count("*").alias("rows"), functions.sum(digest).alias("total")).first()
    return found.rows, hashlib.sha256(f"{found.rows} {found.total}".encode()).hexdigest()


def as_frame(rows: "DataFrame") -> pd.DataFrame:
    """All rows here, ordered by their values: Spark promises no order, and training must find the same each time."""
    return rows.toPandas().sort_values(list(rows.columns), kind="stable", ignore_index=True)
