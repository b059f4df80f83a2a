"""`dbutils.notebook`."""

from __future__ import annotations

from typing import NoReturn

from notebook_kernel.context import EntryPoint, NotebookContext
from notebook_kernel.signals import NotebookExit


class Notebook:
    """Ending a notebook, and asking what it is."""

    def __init__(self, entry_point: EntryPoint) -> None:
        self.entry_point = entry_point

    def exit(self, value: object) -> NoReturn:
        """Ends the notebook; the value becomes the task's result."""
        raise NotebookExit(value)

    def getContext(self) -> NotebookContext:
        """The notebook's context."""
        return self.entry_point.getContext()

    def run(self, path: str, timeout_seconds: int = 0, arguments: object = None) -> NoReturn:
        """Not available: make the other notebook a task of the job."""
        raise NotImplementedError(
            f"dbutils.notebook.run({path!r}) is not available in the local workspace: make that "
            "notebook a task of the job, or include it with %run"
        )
