"""Adds the local workspace's extensions to every session of the process, built by a cell, a file or a module."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol

from notebook_kernel.spark import delta

MODULE = "pyspark.sql"
DELTA_MODULE = "delta.tables"


class Hooks(Protocol):
    """What happens to sessions."""

    def launch(self, start_jvm: Callable[[], Any]) -> Any:
        """Prepares the JVM and starts it."""

    def equip(self, session: Any) -> None:
        """A session is there."""

    def run_sql(self, spark_sql: Callable[..., Any], session: Any, text: str, args: Any) -> Any:
        """The answer to a statement; None where Spark itself has one."""

    def refresh(self) -> None:
        """A table may be asked for by its name."""

    def session(self) -> Any:
        """The session, started where there is none."""


def install(hooks: Hooks, is_here: bool) -> None:
    """Puts the hooks into pyspark, now or when it is imported; it takes too long to import it for every notebook."""
    _after_import(MODULE, lambda: _change(hooks, is_here))
    if is_here:
        _after_import(DELTA_MODULE, lambda: delta.complete_names(hooks.refresh))


def _after_import(module: str, then: Callable[[], None]) -> None:
    if module in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, _AfterImport(module, then))


class _AfterImport(MetaPathFinder):
    def __init__(self, module: str, then: Callable[[], None]) -> None:
        self._module = module
        self._then = then

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if fullname != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Changed(spec.loader, self._then)
        return spec


class _Changed(Loader):
    """A module's own loader, and something to do when it is done."""

    def __init__(self, loader: Any, then: Callable[[], None]) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._then()


def _change(hooks: Hooks, is_here: bool) -> None:
    from notebook_kernel.spark import frames

    frames.add_display()
    try:
        from pyspark.core import context
        from pyspark.sql.catalog import Catalog
        from pyspark.sql.readwriter import DataFrameReader, DataFrameWriter, DataFrameWriterV2
        from pyspark.sql.session import SparkSession
    except ImportError:  # a pyspark that has only Connect
        return
    launch, start = context.launch_gateway, SparkSession.__init__
    context.launch_gateway = lambda *args, **options: hooks.launch(lambda: launch(*args, **options))

    @functools.wraps(start)
    def start_and_equip(self: Any, *args: Any, **options: Any) -> None:
        start(self, *args, **options)
        hooks.equip(self)

    SparkSession.__init__ = start_and_equip
    for name in ("getActiveSession", "active"):
        setattr(SparkSession, name, classmethod(_starting(getattr(SparkSession, name), hooks)))
    if not is_here:
        return
    SparkSession.sql = _with_databricks_sql(SparkSession.sql, hooks)
    by_name = [(SparkSession, "table"), (DataFrameReader, "table"), (DataFrameWriter, "saveAsTable")]
    by_name += [(DataFrameWriter, "insertInto"), (DataFrameWriterV2, "__init__")]
    by_name += [(Catalog, name) for name in vars(Catalog) if not name.startswith("_") and "current" not in name.lower()]
    for owner, name in by_name:
        if callable(method := getattr(owner, name)):
            setattr(owner, name, _refreshing(method, hooks))


def _with_databricks_sql(spark_sql: Callable[..., Any], hooks: Hooks) -> Callable[..., Any]:
    @functools.wraps(spark_sql)
    def sql(self: Any, sqlQuery: str, args: Any = None, **kwargs: Any) -> Any:
        if kwargs:  # names in braces, which are no part of what only Databricks has
            hooks.refresh()
            return spark_sql(self, sqlQuery, args, **kwargs)
        given = hooks.run_sql(spark_sql, self, sqlQuery, args)
        return spark_sql(self, sqlQuery, args) if given is None else given

    return sql


def _refreshing(method: Callable[..., Any], hooks: Hooks) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        hooks.refresh()
        return method(*args, **options)

    return call


def _starting(method: Callable[..., Any], hooks: Hooks) -> Callable[..., Any]:
    """On Databricks there always is an active session. A library that only asks for it, as MLflow does, starts none."""

    @functools.wraps(method)
    def ask(_: type) -> Any:
        from pyspark.core.context import SparkContext

        caller = sys._getframe(1)
        is_library = caller.f_code.co_filename.startswith((sys.prefix, sys.base_prefix))
        is_library |= caller.f_globals.get("__name__", "").partition(".")[0] in {"mlflow", "pyspark"}
        if SparkContext._active_spark_context is None and not is_library:
            hooks.session()
        return method()

    return ask
