"""`%run`: which notebook is meant, with which parameters."""

from __future__ import annotations

import os
import re
from pathlib import Path

from notebook_kernel import rest
from notebook_kernel.request import Identity
from notebook_kernel.words import words

EXTENSIONS = ("", ".py", ".ipynb")


NOT_ALONE = "%run must be in a cell by itself: move the rest of the cell into one of its own"


def parse(line: str, below: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of `%run ./other $name="value"`; below it only comments may stand."""
    if any(text.strip() and not text.lstrip().startswith("#") for text in below.split("\n")):
        raise ValueError(NOT_ALONE)
    given = words(line)
    if not given:
        raise ValueError("%run needs the path of a notebook, such as %run ./helpers")
    values: dict[str, str] = {}
    for word in given[1:]:
        match = re.fullmatch(r"\$(\w+)=(.*)", word, re.DOTALL)
        if match is None:
            raise ValueError(f'%run: {word!r} is not a parameter; write it as $name="value"')
        values[match.group(1)] = match.group(2)
    return given[0], values


def find(path: str, beside: str) -> tuple[str, Path]:
    """A notebook's workspace path and its file: relative paths count from the one that runs it."""
    if not path.startswith("/"):
        path = os.path.join(os.path.dirname(beside), path)
    path = os.path.normpath(path)
    if not path.startswith("/Workspace/"):
        path = "/Workspace" + path
    for extension in EXTENSIONS:
        if os.path.isfile(path + extension):
            return _without_extension(path), Path(path + extension)
    raise FileNotFoundError(f"%run: no notebook at {path}")


def check_readable(path: str, identity: Identity) -> None:
    """Raises `RestError` where the identity that the code acts as may not read a notebook.

    All code runs as the same account of this machine, so the workspace has to be asked.
    """
    if not identity.is_admin:
        rest.call("GET", f"{identity.host}/api/2.0/workspace/get-status", {"path": path})


def _without_extension(path: str) -> str:
    stem, extension = os.path.splitext(path)
    return stem if extension in EXTENSIONS else path
