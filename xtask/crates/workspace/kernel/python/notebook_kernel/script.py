"""Running a Python file (`spark_python_task`) in the process of a notebook, as the program it is."""

from __future__ import annotations

import sys
import time
from types import ModuleType, TracebackType

from notebook_kernel import failures, paths
from notebook_kernel.events import EventLog
from notebook_kernel.notebook import Ending
from notebook_kernel.shell import NotebookShell
from notebook_kernel.signals import Cancelled, NotebookExit, RestartRequested


class ScriptRun:
    """One Python file. Its events are those of a notebook with a single cell.

    As on Databricks there is neither `dbutils` nor `__file__` among its names; `dbutils` can be
    imported from `databricks.sdk.runtime`.
    """

    def __init__(self, shell: NotebookShell, events: EventLog, path_map: paths.PathMap, path: str) -> None:
        self._shell = shell
        self._events = events
        self._paths = path_map
        self._path = path

    def run(self, text: str, arguments: list[str]) -> Ending:
        """Runs the file as `__main__`, with its arguments in `sys.argv`."""
        started = time.monotonic()
        self._events.emit("notebook", path=self._path, language="python", cells=1)
        self._events.cell_started(0, 1, text, None)
        self._shell.compile.open_notebook(self._path, text)
        sys.argv = [self._path, *arguments]
        error = self._execute(text)
        for stream in self._shell.streams:
            stream.flush()
        ending = self._judge(error)
        self._events.cell_finished(ending.ok, time.monotonic() - started)
        if isinstance(error, NotebookExit):
            self._events.exited(error.value)
        return ending

    def _execute(self, text: str) -> BaseException | None:
        # Not IPython's own module: that has names which a program does not find on Databricks.
        sys.modules["__main__"] = program = ModuleType("__main__")
        try:
            exec(compile(text, self._path, "exec", dont_inherit=True), program.__dict__)
        except BaseException as error:
            return error
        return None

    def _judge(self, error: BaseException | None) -> Ending:
        if error is None or isinstance(error, NotebookExit):
            return Ending(ok=True)
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return Ending(ok=True)
        failures.explain(error)
        cancelled = isinstance(error, Cancelled)
        evalue = "the run was cancelled" if cancelled else str(error)
        if isinstance(error, RestartRequested):
            evalue = "a Python file cannot restart its interpreter half-way; only notebooks can"
        line = failures.line_of(error, self._path) or 1
        self._events.error(line, type(error).__name__, evalue or str(error), self._trace(error))
        return Ending(ok=False, cancelled=cancelled)

    def _trace(self, error: BaseException) -> list[str]:
        trace: TracebackType | None = error.__traceback__
        # The frame of this module is none of the file's.
        inner = trace.tb_next if trace is not None else None
        formatted = self._shell.InteractiveTB.structured_traceback(type(error), error, inner)
        return [self._paths.virtual_text(part) for part in formatted]
