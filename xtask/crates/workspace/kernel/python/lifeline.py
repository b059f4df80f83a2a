"""Ends a process when the one that started it is gone, however that ended."""

from __future__ import annotations

import os
import signal
import threading
import time

# How long the process may take to end in order.
GRACE_SECONDS = 5


def hold() -> None:
    """Watches standard input, which the starter keeps open, and moves it out of children's reach."""
    watched = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=_watch, args=(watched,), daemon=True, name="lifeline").start()


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 4096):
        pass
    # The whole group: children of a notebook must not outlive the workspace either.
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)
