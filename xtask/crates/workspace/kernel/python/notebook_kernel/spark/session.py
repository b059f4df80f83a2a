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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from notebook_kernel.spark import frames, plugin, settings
from notebook_kernel.spark.catalogs import Catalogs
from notebook_kernel.spark.place import Place, find_java, version

NAMES = ("spark", "sc", "sqlContext")
END_SECONDS = 5


class LazySession:
    """Stands for the session until somebody looks at anything of it; code that is only handed it starts nothing."""

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
    """The session of one notebook or program."""

    def __init__(self, place: Place, host: str, name: str, scratch: Path, roots: dict[str, str]) -> None:
        self._place = place
        self._name = name
        self._scratch = scratch
        self._roots = roots
        self._catalogs = Catalogs(host, place.folder / "tables")
        self._session: Any = None
        self.lazy = LazySession(self.session)
        settings.apply(place, name, scratch, roots)

    def session(self) -> Any:
        """The session, started where it is not yet."""
        if self._session is None:
            self._session = self._started()
        return self._session

    def before(self, source: str, names: dict[str, Any]) -> None:
        """Puts the real session among a cell's names where the cell's text uses it."""
        used = loaded_names(source)
        if "SparkSession" in used:
            self._prepare()
        if used.intersection(NAMES) and names.get("spark") is self.lazy:
            names["spark"] = self.session()
            if not self._place.remote:
                names["sc"] = self.session().sparkContext
        elif self._session is not None and self._place.is_here:
            self._catalogs.refresh(self._session)
        if "sqlContext" in used and "sqlContext" not in names and "sc" in names:
            from pyspark.sql import SQLContext

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is old; so is who asks for it
                names["sqlContext"] = SQLContext.getOrCreate(names["sc"])

    def stop(self) -> None:
        """Ends the session and its JVM, and removes what they kept for this run."""
        if "pyspark" in sys.modules:
            with contextlib.suppress(Exception):
                _end_session()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _started(self) -> Any:
        from pyspark.sql import SparkSession

        self._prepare()
        began = time.monotonic()
        # The locked environment has it so, and the tests run with it.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        with _import_path_for_workers():
            session = SparkSession.builder.getOrCreate()
        # Errors are raised; a copy of each as a line of JSON helps nobody.
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        frames.add_display()
        if self._place.is_here:
            self._catalogs.refresh(session)
        print(f"Spark {version()} on {self._place}: started in {time.monotonic() - began:.1f} s", file=sys.stderr)
        return session

    def _prepare(self) -> None:
        if self._place.remote:
            return
        find_java()
        if self._place.is_here:
            plugin.prepare()
        settings.apply(self._place, self._name, self._scratch, self._roots)
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)


def loaded_names(source: str) -> set[str]:
    """The names that Python code looks at; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names | imported


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


def _end_session() -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()
    try:
        from pyspark import SparkContext

        gateway = SparkContext._gateway
    except ImportError:  # a pyspark that has only Connect
        return
    if gateway is None:
        return
    process = getattr(gateway, "proc", None)
    gateway.shutdown()
    if process is not None:
        # It ends when nobody holds its standard input, and removes its own files then.
        process.stdin.close()
        process.wait(END_SECONDS)
