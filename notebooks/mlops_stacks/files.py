"""Reading and writing files, on a laptop and below /Volumes alike.

Everything goes through Python's own open(): Databricks mounts /Volumes and /Workspace for it, and the local workspace
serves the same paths to it. Readers written in C++ that are handed a bare path may not see them, so pandas and pyarrow
get file objects.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

BLOCK = 1 << 20


def sha256(path: str) -> str:
    """The SHA-256 of a file's bytes, as 64 hex digits; reads a megabyte at a time."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def replaced(path: str) -> Iterator[BinaryIO]:
    """Opens `path` for writing so that a reader sees the old file or the whole new one, never half of it.

    Parent folders are created. When the body raises, the old file stays as it was.
    """
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", exist_ok=True)
    unfinished = os.path.join(folder, f".{name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            yield file
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise


@contextmanager
def no_bytecode() -> Iterator[None]:
    """While it lasts, Python leaves no compiled files beside the sources that it runs."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
