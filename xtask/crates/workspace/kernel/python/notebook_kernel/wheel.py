"""What a `python_wheel_task` calls: an entry point of a package, or a function of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib import metadata
from typing import Any


class NoEntryPoint(RuntimeError):
    """The package is not installed, or has nothing of that name."""


def load(package: str, entry_point: str) -> Callable[[], Any]:
    """The entry point from the package's metadata; where that has none, the package's function of that name."""
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise NoEntryPoint(
            f"the package {package} is not installed: add its wheel to the task's libraries or to the dependencies of "
            "its environment"
        ) from None
    named = [entry for entry in distribution.entry_points if entry.name == entry_point]
    if named:
        return named[0].load()
    module = importlib.import_module(package.replace("-", "_"))
    function = getattr(module, entry_point, None)
    if not callable(function):
        known = ", ".join(sorted(entry.name for entry in distribution.entry_points)) or "none"
        raise NoEntryPoint(
            f"the package {package} has no entry point {entry_point} (it has: {known}), and no function of that name"
        )
    return function
