"""The process's own log: what C code and child processes write below Python."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from notebook_kernel.share import MEBIBYTE

# Beyond the first size the log is cut down to its last part.
LIMIT = 16 * MEBIBYTE
KEPT = MEBIBYTE
PAUSE_SECONDS = 1


def redirect(path: Path) -> None:
    """Sends descriptors 1 and 2 to the log, and keeps it from growing without end."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    threading.Thread(target=_watch, args=(descriptor,), daemon=True, name="process log").start()


def _watch(descriptor: int) -> None:
    while True:
        time.sleep(PAUSE_SECONDS)
        size = os.fstat(descriptor).st_size
        if size > LIMIT:
            last = os.pread(descriptor, KEPT, size - KEPT)
            # Everybody writes at the end of the file, wherever that is: this lets them go on.
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"[log truncated: these are its last lines]\n" + last)
