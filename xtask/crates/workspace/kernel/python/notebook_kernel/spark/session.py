"""`spark`: a session that starts when it is first used, and ends with the notebook."""

from __future__ import annotations

import ast
import contextlib
import logging
import os
import shutil
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from notebook_kernel.spark import attach, plugin, settings
from notebook_kernel.spark.catalogs import Catalogs
from notebook_kernel.spark.databricks_sql import DatabricksSql
from notebook_kernel.spark.place import Place, find_java, version
from notebook_kernel.spark.settings import Facts

NAMES = ("spark", "sc", "sqlContext")
END_SECONDS = 5


class LazySession:
    """A lazy session: it starts at the first attribute access, not when it is only passed on."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start

    def __getattr__(self, name: str) -> Any:
        # What is asked of anything that is shown.
        if name.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(name)
        return getattr(self._start(), name)

    @property
    def __class__(self) -> type:
        """What `isinstance` asks."""
        from pyspark.sql import SparkSession

        return SparkSession

    def __repr__(self) -> str:
        return "<a Spark session that starts when it is used>"


class Spark:
    """All sessions of one notebook or program."""

    def __init__(self, place: Place, facts: Facts, scratch: Path, roots: dict[str, str]) -> None:
        self._place = place
        self._facts = facts
        self._scratch = scratch
        self._roots = roots
        self._catalogs = Catalogs(facts.host, place.folder / "tables")
        self._databricks_sql = DatabricksSql(facts.host, self.refresh)
        self._session: Any = None
        self._sessions: weakref.WeakSet[Any] = weakref.WeakSet()
        self._is_told = False
        self._began = time.monotonic()
        self.lazy = LazySession(self.session)
        # The locked environment has it so, and the tests run with it.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        # Errors are raised; do not also log each as a line of JSON.
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        settings.apply(place, facts, scratch, roots)
        attach.install(self, place.is_here)

    def session(self) -> Any:
        """The session, started where it is not yet."""
        if self._session is None:
            from pyspark.sql import SparkSession

            self._began = time.monotonic()
            self._session = SparkSession.builder.getOrCreate()
            self._tell_start()
        return self._session

    def before(self, source: str, names: dict[str, Any]) -> None:
        """Puts the real session among a cell's names where the cell's text uses it."""
        used = loaded_names(source)
        if used.intersection(NAMES) and names.get("spark") is self.lazy:
            names["spark"] = self.session()
            if not self._place.remote:
                names["sc"] = self.session().sparkContext
        if "sqlContext" in used and "sqlContext" not in names and "sc" in names:
            from pyspark.sql import SQLContext

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is old; so is who asks for it
                names["sqlContext"] = SQLContext.getOrCreate(names["sc"])

    def launch(self, start_jvm: Callable[[], Any]) -> Any:
        """Starts the JVM, with the workspace's classes and settings."""
        self._began = time.monotonic()
        find_java()
        if self._place.is_here:
            plugin.prepare()
        settings.apply(self._place, self._facts, self._scratch, self._roots)
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _import_path_for_workers():
            return start_jvm()

    def equip(self, session: Any) -> None:
        """Gives a session the workspace's catalogs."""
        self._sessions.add(session)
        self.refresh()
        self._tell_start()

    def run_sql(self, spark_sql: Callable[..., Any], session: Any, text: str, args: Any) -> Any:
        """The answer to a statement that is Databricks' own; None for Spark's."""
        self.refresh()
        return self._databricks_sql.run(spark_sql, session, text, args)

    def refresh(self) -> None:
        """Makes known to the sessions what catalogs and schemas the workspace has by now."""
        if self._sessions and self._place.is_here:
            self._catalogs.refresh(list(self._sessions))

    def stop(self) -> None:
        """Ends the session and its JVM, and removes what they kept for this run."""
        if "pyspark" in sys.modules:
            with contextlib.suppress(Exception):
                _end_sessions(self._session)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _tell_start(self) -> None:
        if self._is_told:
            return
        self._is_told = True
        seconds = time.monotonic() - self._began
        print(f"Spark {version()} on {self._place}: started in {seconds:.1f} s", file=sys.stderr)


def loaded_names(source: str) -> set[str]:
    """The names that Python code looks at; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


@contextlib.contextmanager
def _import_path_for_workers() -> Iterator[None]:
    """Python workers import what the notebook imports: the JVM that starts them inherits the path."""
    before = os.environ.get("PYTHONPATH")
    entries = [entry for entry in sys.path if entry and entry not in _own_path()]
    os.environ["PYTHONPATH"] = os.pathsep.join([os.getcwd(), *entries])
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _own_path() -> set[str]:
    """What every Python of this environment has anyway, and the kernel's own folder."""
    import site
    import sysconfig

    standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return standard | set(site.getsitepackages()) | {str(Path(__file__).parents[2])}


def _end_sessions(session: Any) -> None:
    if session is not None:
        session.stop()
    try:
        from pyspark import SparkContext
    except ImportError:  # a pyspark that has only Connect
        return
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    gateway = SparkContext._gateway
    if gateway is None:
        return
    process = getattr(gateway, "proc", None)
    gateway.shutdown()
    if process is not None:
        # It ends when its standard input is closed, and removes its own files then.
        process.stdin.close()
        process.wait(END_SECONDS)
