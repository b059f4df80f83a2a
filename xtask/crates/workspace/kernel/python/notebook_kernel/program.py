"""Running a program in the process of a notebook: a Python file (`spark_python_task`) or a wheel's entry point."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType

from notebook_kernel import failures, wheel
from notebook_kernel.events import EventLog
from notebook_kernel.notebook import Ending
from notebook_kernel.request import Request
from notebook_kernel.shell import NotebookShell
from notebook_kernel.signals import Cancelled, NotebookExit, RestartRequested

OWN_FOLDER = str(Path(__file__).parent)


class ProgramRun:
    """One program. Its events are those of a notebook with a single cell.

    As on Databricks there is neither `dbutils` nor `__file__` among a file's names; `dbutils` can be imported from
    `databricks.sdk.runtime`.
    """

    def __init__(self, shell: NotebookShell, events: EventLog, request: Request) -> None:
        self._shell = shell
        self._events = events
        self._request = request
        self._path = request.notebook

    def run_file(self, text: str) -> Ending:
        """Runs the file as `__main__`, with its arguments in `sys.argv`."""
        self._shell.compile.open_notebook(self._path, text)

        def program() -> None:
            # Not IPython's own module: that has names which a program does not find on Databricks.
            sys.modules["__main__"] = module = ModuleType("__main__")
            exec(compile(text, self._path, "exec", dont_inherit=True), module.__dict__)

        return self._run(text, program)

    def run_wheel(self) -> Ending:
        """Calls the entry point of an installed package, with the arguments in `sys.argv`."""
        request = self._request

        def program() -> None:
            wheel.load(request.package, request.entry_point)()

        words = " ".join([request.package, request.entry_point, *request.arguments])
        return self._run(f"# Python wheel: {words}", program)

    def _run(self, shown: str, program: Callable[[], None]) -> Ending:
        started = time.monotonic()
        kind = self._request.kind
        self._events.emit("notebook", path=self._path, language="python", cells=1, kind=kind)
        self._events.cell_started(0, 1, shown, None)
        sys.argv = [self._path, *self._request.arguments]
        error: BaseException | None = None
        try:
            program()
        except BaseException as caught:
            error = caught
        for stream in self._shell.streams:
            stream.flush()
        ending = self._judge(error)
        self._events.cell_finished(ending.ok, time.monotonic() - started)
        if isinstance(error, NotebookExit):
            self._events.exited(error.value)
        return ending

    def _judge(self, error: BaseException | None) -> Ending:
        if error is None or isinstance(error, NotebookExit):
            return Ending(ok=True)
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return Ending(ok=True)
        failures.explain(error)
        cancelled = isinstance(error, Cancelled)
        evalue = failures.ASKED_TO_END if cancelled else failures.message(error)
        if isinstance(error, RestartRequested):
            evalue = "a program cannot restart its interpreter half-way; only notebooks can"
        line = failures.line_of(error, self._path)
        if line is None and self._request.kind == "python_file":
            line = 1
        self._events.error(line, type(error).__name__, evalue or str(error), self._trace(error))
        return Ending(ok=False, cancelled=cancelled)

    def _trace(self, error: BaseException) -> list[str]:
        trace: TracebackType | None = error.__traceback__
        # The frames of this package are none of the program's.
        while trace is not None and trace.tb_frame.f_code.co_filename.startswith(OWN_FOLDER):
            trace = trace.tb_next
        lines = list(self._shell.InteractiveTB.structured_traceback(type(error), error, trace))
        return failures.trace(error, lines)
