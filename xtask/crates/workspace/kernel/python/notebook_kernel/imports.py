"""Importing libraries ahead of a notebook: those that it used last time.

Most of a short task's time is spent importing. A process that waits for its turn can do that while
the task before it is at work.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import sys
import sysconfig
from pathlib import Path

# Imported ahead of a notebook that has not been run before: what nearly every one of them uses.
USUAL_IMPORTS = ("numpy", "pandas", "mlflow", "mlflow.pyfunc", "databricks.sdk")
# What reads this process's notebook when it is imported must not be imported before there is one.
NEVER_AHEAD = ("databricks.sdk.runtime",)


def warm_up(file: Path) -> None:
    """Imports what `file` names, until a request has come.

    A module that cannot be imported is left to the notebook, which then says so itself.
    """
    try:
        names = json.loads(file.read_text())
    except (OSError, ValueError):
        names = USUAL_IMPORTS
    for name in names:
        if select.select([0], [], [], 0)[0]:
            return
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def remember(file: Path) -> None:
    """Notes which installed libraries are loaded, in the order in which they were.

    The project's own modules are not among them: they may have changed by the next run.
    """
    installed = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    names = [
        name
        for name, module in list(sys.modules.items())
        if _origin(module).startswith(installed) and not name.startswith(("_", *NEVER_AHEAD))
    ]
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(names))
    os.replace(temporary, file)


def _origin(module: object) -> str:
    spec = getattr(module, "__spec__", None)
    return getattr(spec, "origin", None) or ""
