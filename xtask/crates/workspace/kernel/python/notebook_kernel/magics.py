"""Databricks' magics among IPython's: those that stand on a line of their own, and what is said of the others."""

from __future__ import annotations

import sys
from typing import NoReturn

from notebook_kernel import sh
from notebook_kernel.includes import NOT_ALONE
from notebook_kernel.pip_magic import Pip
from notebook_kernel.shell import NotebookShell
from notebook_kernel.signals import RestartRequested
from notebook_kernel.source import CELL_MAGICS

# What has no use in a job that runs here.
WITHOUT_EFFECT = {
    "set_cell_max_output_size_in_mb": "the local workspace has its own output limits",
    "tensorboard": "the local workspace does not support TensorBoard",
}
PROFILERS = ("profile", "oprofile")


class UnsupportedMagic(RuntimeError):
    """The cell is in a language that the local workspace does not run."""

    def __init__(self, magic: str) -> None:
        language = {"scala": "Scala", "r": "R"}.get(magic, magic)
        super().__init__(
            f"%{magic}: the local workspace runs no {language} cells, only Python and, where Spark is, SQL. "
            f"Write this cell in Python, or run the notebook on Databricks"
        )


class MisplacedMagic(RuntimeError):
    """A magic that takes a whole cell stands below other code, or is called by it."""

    def __init__(self, magic: str) -> None:
        super().__init__(NOT_ALONE if magic == "run" else f"%{magic} must be the first line of its cell")


def register(shell: NotebookShell, pip: Pip) -> None:
    """Puts Databricks' magics into the shell, some in place of IPython's."""
    for name in CELL_MAGICS:
        # Above all IPython's own %run, which runs a Python file and goes on when that fails.
        shell.register_magic_function(_misplaced(name), "line", name)
    for name, reason in WITHOUT_EFFECT.items():
        shell.register_magic_function(_without_effect(name, reason), "line", name)
    for name in PROFILERS:
        shell.register_magic_function(_unprofiled(shell, name), "cell", name)
    shell.register_magic_function(pip.__call__, "line", "pip")
    shell.register_magic_function(pip.uv, "line", "uv")
    shell.register_magic_function(_restart, "line", "restart_python")
    # Python may come before it, as in IPython.
    shell.register_magic_function(sh.run_cell, "line", "sh")


def _misplaced(name: str):
    def refuse(line: str) -> NoReturn:
        raise MisplacedMagic(name)

    return refuse


def _without_effect(name: str, reason: str):
    def tell(line: str) -> None:
        print(f"[%{name} has no effect: {reason}]", file=sys.stderr)

    return tell


def _unprofiled(shell: NotebookShell, name: str):
    def run(line: str, cell: str) -> None:
        print(f"[%%{name}: the local workspace runs the cell without profiling]", file=sys.stderr)
        shell.run_cell("\n".join(part for part in (line, cell) if part), store_history=False)

    return run


def _restart(line: str) -> NoReturn:
    raise RestartRequested
