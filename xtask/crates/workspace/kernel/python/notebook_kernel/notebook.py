"""Running the cells of a notebook, one after another."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from IPython.display import HTML, Markdown

from notebook_kernel import failures, formats, includes, languages, paths, sh, source
from notebook_kernel.dbutils import DBUtils
from notebook_kernel.events import EventLog
from notebook_kernel.overlay import Overlay
from notebook_kernel.pip_magic import Pip
from notebook_kernel.shell import NotebookShell
from notebook_kernel.signals import Cancelled, NotebookExit, RestartRequested
from notebook_kernel.spark import frames
from notebook_kernel.spark.cells import SparkCells
from notebook_kernel.spark.session import Spark
from notebook_kernel.tables import display


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
    ) -> None:
        self._shell = shell
        self._events = events
        self._dbutils = dbutils
        self._paths = path_map
        self._path = path
        self._including: list[str] = [path]
        self._handlers: dict[str, Callable[[source.Cell], None]] = {
            "md": lambda cell: display(Markdown(cell.body)),
            "md-sandbox": lambda cell: display(Markdown(cell.body)),
            "sh": lambda cell: sh.run_cell(cell.body),
            "fs": self._fs,
            "sql": lambda cell: self._spark.run_sql(cell.body),
        }
        # IPython puts an `open` of its own here, which would pass the virtual paths by.
        shell.user_ns.pop("open", None)
        shell.push({"dbutils": dbutils, "displayHTML": lambda html: display(HTML(html))})
        shell.push({"display": frames.show, "getArgument": dbutils.widgets.getArgument})
        self._spark = SparkCells(spark, shell.user_ns, dbutils.widgets.get)
        pip = Pip(overlay, path_map)
        shell.register_magic_function(pip.__call__, "line", "pip")
        shell.register_magic_function(pip.uv, "line", "uv")
        shell.register_magic_function(_restart, "line", "restart_python")
        shell.register_magic_function(sh.run_cell, "line", "sh")

    def run(self, text: str, start_cell: int) -> Ending:
        """Runs the notebook's cells from `start_cell` on and writes their events."""
        cells = formats.cells_of(text, self._path)
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
        evalue = "the run was cancelled" if cancelled else str(error)
        line = failures.line_of(error, cell.name) or cell.line
        trace = [self._paths.virtual_text(part) for part in self._shell.failure_text or []]
        self._events.error(line, type(error).__name__, evalue, trace)
        return Ending(ok=False, cancelled=cancelled)

    def _execute(self, cell: source.Cell, notebook: str) -> BaseException | None:
        """Runs one cell and gives back what ended it early, if anything did."""
        self._shell.failure_text = None
        self._shell.compile.open_notebook(cell.name, cell.text)
        if cell.magic is None or cell.magic == "python":
            # `%python` keeps its place as a blank line, so that the numbers below it stay true.
            text = cell.source if cell.magic is None else _without_first_word(cell.source)
            error = self._run_python(text, cell.line)
            if error is not None:
                self._explain(error)
            return error
        try:
            if cell.magic == "run":
                return self._include(cell, notebook)
            handler = self._handlers.get(cell.magic)
            if handler is None:
                raise languages.UnsupportedMagic(cell.magic)
            handler(cell)
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
        result = self._shell.run_source(text, line)
        return result.error_before_exec or result.error_in_exec

    def _explain(self, error: BaseException) -> None:
        before = error.args
        failures.explain(error)
        if error.args != before or getattr(error, "__notes__", None):
            trace = self._shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__, tb_offset=1)
            self._shell.failure_text = trace

    def _include(self, cell: source.Cell, notebook: str) -> BaseException | None:
        """`%run`: the cells of another notebook, in this one's names."""
        target, parameters = includes.parse(cell.body)
        path, file = includes.find(target, notebook)
        if path in self._including:
            chain = " -> ".join([*self._including, path])
            raise RecursionError(f"%run: these notebooks include one another: {chain}")
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        self._including.append(path)
        with self._dbutils.widgets.overridden(parameters):
            for inner in formats.cells_of(text, path):
                error = self._execute(inner, path)
                if error is not None:
                    return error
        self._including.pop()
        return None

    def _fs(self, cell: source.Cell) -> None:
        """`%fs ls /Volumes/…` is `dbutils.fs.ls("/Volumes/…")`."""
        name, *arguments = cell.body.split()
        value: Any = getattr(self._dbutils.fs, name)(*arguments)
        for entry in value if isinstance(value, list) else [value]:
            print(entry)


def _restart(line: str) -> NoReturn:
    raise RestartRequested


def _without_first_word(text: str) -> str:
    first, separator, rest = text.partition("\n")
    return first.strip().removeprefix("%python").lstrip() + separator + rest


def prepare_imports(path_map: paths.PathMap, folder: Path) -> None:
    """Starts in the notebook's folder, which is also where its imports are looked for."""
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    sys.path[:0] = ["", str(folder)]
    paths.install(path_map)
