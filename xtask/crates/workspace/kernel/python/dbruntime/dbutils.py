"""`DBUtils(spark)`: the way of Python files and of library code to the run's `dbutils`."""

from __future__ import annotations

import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from dbruntime import UserNamespaceInitializer

# Where Databricks' own pyspark has it, and Spark's has nothing.
IN_PYSPARK = "pyspark.dbutils"


class DBUtils:
    """Whatever it is given, the answer is the `dbutils` of the run."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """The run's own."""
        return UserNamespaceInitializer.getOrCreate().get_namespace_globals()["dbutils"]


def install() -> None:
    """Makes `from pyspark.dbutils import DBUtils` work, where pyspark is installed and where it is not."""
    if importlib.util.find_spec("pyspark") is not None:
        sys.meta_path.append(_Finder())
    else:
        sys.modules[IN_PYSPARK] = module = ModuleType(IN_PYSPARK)
        _Finder().exec_module(module)


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(IN_PYSPARK, self) if fullname == IN_PYSPARK else None

    def exec_module(self, module: ModuleType) -> None:
        module.DBUtils = DBUtils  # type: ignore[attr-defined]
