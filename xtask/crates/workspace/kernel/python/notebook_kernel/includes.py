"""`%run`: which notebook is meant, with which parameters."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

EXTENSIONS = ("", ".py", ".ipynb")


def parse(line: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of `%run ./other $name="value"`."""
    words = shlex.split(line)
    if not words:
        raise ValueError("%run needs the path of a notebook, such as %run ./helpers")
    values: dict[str, str] = {}
    for word in words[1:]:
        match = re.fullmatch(r"\$(\w+)=(.*)", word, re.DOTALL)
        if match is None:
            raise ValueError(f'%run: {word!r} is no parameter; write it as $name="value"')
        values[match.group(1)] = match.group(2)
    return words[0], values


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
    raise FileNotFoundError(f"%run: there is no notebook at {path}")


def _without_extension(path: str) -> str:
    stem, extension = os.path.splitext(path)
    return stem if extension in EXTENSIONS else path
