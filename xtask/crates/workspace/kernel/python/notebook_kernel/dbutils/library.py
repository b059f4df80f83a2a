"""`dbutils.library`."""

from __future__ import annotations

from typing import NoReturn

from notebook_kernel.signals import RestartRequested
from notebook_kernel.utility import Utility


class Library(Utility):
    """Restarting the interpreter."""

    _called = "dbutils.library"

    def restartPython(self) -> NoReturn:
        """A fresh interpreter runs the cells below; names are gone, widgets stay."""
        raise RestartRequested
