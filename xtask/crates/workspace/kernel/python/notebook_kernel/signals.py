"""How a notebook ends other than by its last cell.

None of them is an `Exception`: a notebook's own `except Exception` must not swallow them.
"""

from __future__ import annotations


class NotebookExit(BaseException):
    """`dbutils.notebook.exit(value)`."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = str(value)


class RestartRequested(BaseException):
    """`dbutils.library.restartPython()`."""


class Cancelled(BaseException):
    """The workspace asked the process to end (SIGTERM)."""
