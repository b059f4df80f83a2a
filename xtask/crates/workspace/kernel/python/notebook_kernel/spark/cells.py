"""What a notebook's cells find of Spark: the session under its names, and `%sql`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notebook_kernel.spark import sql
from notebook_kernel.spark.place import NoSpark
from notebook_kernel.spark.session import Spark

HOW_TO_GET_IT = (
    "pyspark is not installed in this environment, so the local workspace has no Spark session. "
    'With XTASK_EXTRAS=spark (or `extras = ["spark"]` below [workspace] in xtask.toml) the environment has it; '
    "without it, read data with pandas or pyarrow"
)


class SparkCells:
    """Spark among the names of a notebook; `spark` is None where pyspark is not installed."""

    def __init__(self, spark: Spark | None, names: dict[str, Any], parameter: Callable[[str], str]) -> None:
        self._spark = spark
        self._names = names
        self._parameter = parameter
        if spark is not None:
            names["spark"] = spark.lazy

    def before(self, source: str) -> None:
        """To be called with a cell's Python before it runs."""
        if self._spark is not None:
            self._spark.before(source, self._names)

    def run_sql(self, text: str) -> None:
        """Runs a `%sql` cell; what it gives is `_sqldf` from then on."""
        if self._spark is None:
            raise NoSpark(f"%sql cells need Spark: {HOW_TO_GET_IT}")
        self._spark.before("spark", self._names)
        self._names["_sqldf"] = sql.run(self._spark.session(), text, self._parameter)
