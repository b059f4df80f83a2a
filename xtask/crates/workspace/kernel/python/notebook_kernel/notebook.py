"""Running the cells of a notebook, one after another."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from IPython.display import HTML, Markdown

from notebook_kernel import failures, formats, includes, magics, paths, requirements, sh, source
from notebook_kernel.dbutils import DBUtils
from notebook_kernel.events import EventLog
from notebook_kernel.overlay import Overlay
from notebook_kernel.pip_magic import Pip
from notebook_kernel.request import Identity
from notebook_kernel.shell import NotebookShell
from notebook_kernel.signals import Cancelled, NotebookExit, RestartRequested
from notebook_kernel.spark import frames
from notebook_kernel.spark.cells import SparkCells
from notebook_kernel.spark.session import Spark
from notebook_kernel.tables import display
from notebook_kernel.words import words


@dataclass(frozen=True)
class Ending:
    """How a notebook ended: `next_cell` is where a fresh interpreter goes on."""

    ok: bool
    cancelled: bool = False
    next_cell: int | None = None


class NotebookRun:
    """One notebook in one interpreter."""

    def __init__(
        self,
        shell: NotebookShell,
        events: EventLog,
        dbutils: DBUtils,
        path_map: paths.PathMap,
        overlay: Overlay,
        path: str,
        *,
        spark: Spark | None,
        identity: Identity,
    ) -> None:
        self._identity = identity
        self._shell = shell
        self._events = events
        self._dbutils = dbutils
        self._paths = path_map
        self._path = path
        self._including: list[str] = [path]
        self._handlers: dict[str, Callable[[source.Magic], None]] = {
            "md": lambda magic: display(Markdown(magic.body)),
            "md-sandbox": lambda magic: display(Markdown(magic.body)),
            "sh": lambda magic: sh.run_cell(magic.body),
            "fs": self._fs,
            "sql": lambda magic: self._spark.run_sql(magic.body),
            "skip": lambda _: print("[%skip: the cell was not run]"),
        }
        # IPython puts an `open` of its own here, which would pass the virtual paths by.
        shell.user_ns.pop("open", None)
        shell.push({"dbutils": dbutils, "displayHTML": lambda html: display(HTML(html))})
        shell.push({"display": frames.show, "getArgument": dbutils.widgets.getArgument})
        self._spark = SparkCells(spark, shell.user_ns, dbutils.widgets.get)
        magics.register(shell, Pip(overlay, path_map))

    def run(self, text: str, start_cell: int) -> Ending:
        """Runs the notebook's cells from `start_cell` on and writes their events."""
        cells = formats.read(text, self._path).cells
        if start_cell == 0:
            self._events.emit("notebook", path=self._path, language="python", cells=len(cells))
        for cell in cells[start_cell:]:
            ending = self._run_cell(cell)
            if ending is not None:
                return ending
        return Ending(ok=True)

    def _run_cell(self, cell: source.Cell) -> Ending | None:
        started = time.monotonic()
        self._events.cell_started(cell.index, cell.line, cell.source, cell.title)
        error = self._execute(cell, self._path)
        sys.path[:] = paths.map_import_path(self._paths, sys.path)
        for stream in self._shell.streams:
            stream.flush()
        ending = self._judge(cell, error)
        self._events.cell_finished(ending is None or ending.ok, time.monotonic() - started)
        if isinstance(error, NotebookExit):
            self._events.exited(error.value)
        return ending

    def _judge(self, cell: source.Cell, error: BaseException | None) -> Ending | None:
        if error is None:
            return None
        if isinstance(error, NotebookExit):
            return Ending(ok=True)
        if isinstance(error, RestartRequested):
            return Ending(ok=True, next_cell=cell.index + 1)
        cancelled = isinstance(error, Cancelled)
        evalue = failures.ASKED_TO_END if cancelled else failures.message(error)
        line = failures.line_of(error, cell.name) or cell.line + (cell.magic.above if cell.magic else 0)
        trace = failures.trace(error, self._shell.failure_text or [])
        self._events.error(line, type(error).__name__, evalue, trace)
        return Ending(ok=False, cancelled=cancelled)

    def _execute(self, cell: source.Cell, notebook: str) -> BaseException | None:
        """Runs one cell and gives back what ended it early, if anything did."""
        self._shell.failure_text = None
        self._shell.compile.open_notebook(cell.name, cell.text)
        magic = cell.magic
        if magic is None or magic.name == "python":
            # What stands behind `%python` keeps the line of it, so that the numbers below stay true.
            text = cell.source if magic is None else f"{magic.argument}\n{magic.rest}"
            error = self._run_python(text, cell.line + (magic.above if magic else 0))
            if error is not None:
                self._explain(error)
            return error
        try:
            if magic.name == "run":
                return self._include(magic, notebook)
            handler = self._handlers.get(magic.name)
            if handler is None:
                raise magics.UnsupportedMagic(magic.name)
            handler(magic)
        except BaseException as error:
            self._shell.failure_text = [f"{type(error).__name__}: {error}"]
            return error
        return None

    def _run_python(self, text: str, line: int) -> BaseException | None:
        try:
            self._spark.before(self._shell.input_transformer_manager.transform_cell(text))
        except BaseException as error:
            self._shell.failure_text = [f"{type(error).__name__}: {error}"]
            return error
        return self._shell.run_source(text, line)

    def _explain(self, error: BaseException) -> None:
        before = error.args
        failures.explain(error)
        if error.args != before or getattr(error, "__notes__", None):
            trace = self._shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__, tb_offset=1)
            self._shell.failure_text = trace

    def _include(self, magic: source.Magic, notebook: str) -> BaseException | None:
        """`%run`: the cells of another notebook, in this one's names."""
        target, parameters = includes.parse(magic.argument, magic.rest)
        path, file = includes.find(target, notebook)
        includes.check_readable(path, self._identity)
        if path in self._including:
            chain = " -> ".join([*self._including, path])
            raise RecursionError(f"%run: circular include: {chain}")
        with open(file, encoding="utf-8") as opened:
            included = formats.read(opened.read(), path)
        missing = [text for text in included.environment.dependencies if not requirements.is_satisfied(text)]
        if missing:
            print(f"Not installed: {', '.join(missing)}, as {path} is included by another notebook", file=sys.stderr)
        self._including.append(path)
        with self._dbutils.widgets.overridden(parameters):
            for inner in included.cells:
                error = self._execute(inner, path)
                if error is not None:
                    return error
        self._including.pop()
        return None

    def _fs(self, magic: source.Magic) -> None:
        """`%fs ls /Volumes/…` is `dbutils.fs.ls("/Volumes/…")`."""
        name, *arguments = words(magic.body) or ["help"]
        value: Any = getattr(self._dbutils.fs, name)(*arguments)
        for entry in value if isinstance(value, list) else [value]:
            print(entry)


def prepare_imports(path_map: paths.PathMap, folder: Path) -> None:
    """Starts in the notebook's folder, which is also where its imports are looked for."""
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    sys.path[:0] = ["", str(folder)]
    paths.install(path_map)
