"""`dbutils.library`."""

from __future__ import annotations

from typing import NoReturn

from notebook_kernel.signals import RestartRequested


class Library:
    """Restarting the interpreter."""

    def restartPython(self) -> NoReturn:
        """A fresh interpreter runs the cells below; names are gone, widgets stay."""
        raise RestartRequested
