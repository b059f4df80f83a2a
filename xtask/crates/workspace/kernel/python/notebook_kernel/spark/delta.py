"""Delta Lake in the sessions of this machine: the jars of one release, which fits one minor version of Spark."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from notebook_kernel.spark.names import PART, SESSION_CATALOG
from notebook_kernel.spark.place import NoSpark, version

FOLDER = "XTASK_SPARK_JARS"
SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension,xtask.spark.DeltaParameters",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # As on Databricks.
    "spark.sql.sources.default": "delta",
    # A table's state is read by so many tasks; the default of 50 is for a cluster.
    "spark.databricks.delta.snapshotPartitions": "2",
    # So many tasks list a table's files for VACUUM; the default is 10,000.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    "spark.delta.logStore.file.impl": "xtask.spark.DeltaFiles",
    "spark.delta.logStore.dbfs.impl": "xtask.spark.DeltaFiles",
}

BEGINNINGS = (
    "forName",
    "forPath",
    "isDeltaTable",
    "convertToDelta",
    "create",
    "createIfNotExists",
    "replace",
    "createOrReplace",
)


def jars() -> list[Path]:
    """The jars of Delta, where there are some that fit this Spark."""
    found = _found()
    return found if any(jar.name.startswith(f"delta-spark_{_minor()}_") for jar in found) else []


def why_not() -> str:
    """Why there is no Delta, and what to do."""
    if fits := next((jar.name.split("_")[1] for jar in _found() if jar.name.startswith("delta-spark_")), ""):
        return f"it fits Spark {fits}, and this environment has {version()}: install pyspark {fits}"
    return "it is not fetched: run `cargo xtask setup` with a network connection, then run again"


def complete_names(refresh: Callable[[], None]) -> None:
    """Lets the package delta find tables as Spark does: it looks up short names in Spark's own catalog alone, and
    makes no table by a full one."""
    from delta.tables import DeltaTable, DeltaTableBuilder

    if not jars():
        for name in BEGINNINGS:
            setattr(DeltaTable, name, _refuse)
        return
    by_name, name_new = DeltaTable.forName.__func__, DeltaTableBuilder.tableName

    def for_name(cls: type, session: Any, name: str) -> Any:
        refresh()
        parts = _parts(session, name)
        return by_name(cls, session, ".".join(f"`{part}`" for part in parts) if parts else name)

    def table_name(self: Any, name: str) -> Any:
        refresh()
        parts = _parts(self._spark, name)
        if not parts:
            return name_new(self, name)
        catalog, schema, table = parts
        self._spark.sql(f"DESCRIBE SCHEMA `{catalog}`.`{schema}`")
        folder = Path(self._spark.conf.get(f"spark.sql.catalog.{catalog}.folder"), schema.lower(), table.lower())
        return self.location(str(folder))

    DeltaTable.forName = classmethod(for_name)
    DeltaTableBuilder.tableName = table_name


def _refuse(*_: Any, **__: Any) -> Any:
    raise NoSpark(f"DeltaTable: the local workspace's Spark has no Delta: {why_not()}")


def _parts(session: Any, name: str) -> list[str]:
    """Catalog, schema and name of a table of the workspace; nothing for one of Spark's own catalog, or a folder."""
    parts = [part.strip("`") for part in re.findall(PART, name)]
    current = [session.catalog.currentCatalog(), session.catalog.currentDatabase()]
    if parts[0].lower() == "delta" and len(parts) == 2:
        return []
    full = current[: max(0, 3 - len(parts))] + parts
    return full if len(full) == 3 and full[0] != SESSION_CATALOG else []


def _found() -> list[Path]:
    folder = os.environ.get(FOLDER, "")
    return sorted(Path(folder).glob("*.jar")) if folder else []


def _minor() -> str:
    return ".".join(version().split(".")[:2])
