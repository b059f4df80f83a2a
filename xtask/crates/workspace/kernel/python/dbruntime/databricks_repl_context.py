"""`get_context()`: what the running notebook and job are called.

MLflow reads it to tag the runs it makes. An attribute that is absent makes it look elsewhere; one
that is None would be taken as the answer, so there are none.
"""

from __future__ import annotations

from types import SimpleNamespace

_context: ReplContext | None = None


class ReplContext(SimpleNamespace):
    """The attributes, by the names they have on Databricks."""

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self).items() if k != "apiToken"}
        return f"ReplContext({shown})"


def get_context() -> ReplContext | None:
    """The context of the notebook that this process runs; None before it has one."""
    return _context


def set_context(context: ReplContext) -> None:
    """Called once, by the kernel."""
    global _context
    _context = context
