"""`dbutils.notebook`."""

from __future__ import annotations

from typing import NoReturn

from notebook_kernel.context import EntryPoint, NotebookContext
from notebook_kernel.dbutils.workflow import Workflow
from notebook_kernel.signals import NotebookExit
from notebook_kernel.utility import Utility


class Notebook(Utility):
    """Ending a notebook, running another one, and asking what it is."""

    _called = "dbutils.notebook"

    def __init__(self, entry_point: EntryPoint, workflow: Workflow) -> None:
        self.entry_point = entry_point
        self._workflow = workflow

    def exit(self, value: object) -> NoReturn:
        """Ends the notebook; the value becomes the task's result."""
        raise NotebookExit(value)

    def getContext(self) -> NotebookContext:
        """The notebook's context."""
        return self.entry_point.getContext()

    def run(self, path: str, timeout_seconds: int = 0, arguments: dict[str, str] | None = None) -> str | None:
        """Runs another notebook in a process of its own and gives back what it handed to `exit`."""
        return self._workflow.run(path, timeout_seconds, arguments)
