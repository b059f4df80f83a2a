"""The event log of a notebook run: one JSON object a line, written as things happen, bounded."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from notebook_kernel.paths import PathMap
from notebook_kernel.redaction import Redaction
from notebook_kernel.share import MEBIBYTE, Share

VERSION = 1
# What one display may weigh, and the size from which on the log takes no more displays and only the ends of streams.
# A notebook that prints in an endless loop must fill neither the disk nor the page that shows it.
DISPLAY_LIMIT = 8 * MEBIBYTE
LOG_LIMIT = 32 * MEBIBYTE
CHUNK = 64 * 1024
TRACEBACK_LIMIT = 128 * 1024


class EventLog:
    """Appends events to a file; each is one `write`, so that a reader never sees half a line."""

    def __init__(self, path: Path, paths: PathMap) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._written = os.fstat(self._fd).st_size
        self._cell: int | None = None
        self._share = Share()
        self._left_out = False
        self._paths = paths
        self._process = os.getpid()
        self.redaction = Redaction()

    def emit(self, event: str, **fields: Any) -> None:
        """Writes one event. Of a process that the code forked, only what it prints and shows is the run's."""
        if event not in ("stream", "display") and os.getpid() != self._process:
            return
        record = {"v": VERSION, "t": time.time_ns() // 1_000_000, "event": event, **fields}
        data = (json.dumps(record, ensure_ascii=False, default=str) + "\n").encode("utf-8", errors="backslashreplace")
        self._written += len(data)
        while data:
            data = data[os.write(self._fd, data) :]

    def cell_started(self, cell: int, line: int, source: str, title: str | None) -> None:
        """Opens a cell: streams and displays are counted to it from now on."""
        self._cell = cell
        self._share = Share(full=self._is_full())
        self._left_out = False
        self.emit("cell_started", cell=cell, line=line, source=source, title=title)

    def stream(self, name: str, text: str) -> None:
        """Text that was printed. Beyond a cell's share its last part is kept, and written when the cell ends."""
        self._write_stream(name, self._share.take(name, self._public(text)))

    def display(self, data: dict[str, Any]) -> None:
        """A rich output; a representation that is too large gives way to a line saying so."""
        if self._is_full():
            if not self._left_out:
                self._left_out = True
                self.emit("display", cell=self._cell, data={"text/plain": "[displays left out: the log is full]"})
            return
        kept: dict[str, Any] = {}
        for mime, value in data.items():
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            if len(text) <= DISPLAY_LIMIT:
                kept[mime] = self._public(text)
            else:
                size = len(text) // MEBIBYTE
                limit = DISPLAY_LIMIT // MEBIBYTE
                kept.setdefault("text/plain", f"[{mime} of {size} MiB left out: the limit is {limit} MiB]")
        self.emit("display", cell=self._cell, data=kept)

    def error(self, line: int | None, ename: str, evalue: str, traceback: list[str]) -> None:
        """What ended a cell: `line` is the line in the notebook's file, or in the cell where files have none."""
        self.end_streams()
        # First of all: of a value that is cut in two, neither half would be known.
        traceback = [self._public(part) for part in traceback]
        text = "\n".join(traceback)
        if len(text) > TRACEBACK_LIMIT:
            half = TRACEBACK_LIMIT // 2
            traceback = [text[:half], "[traceback cut]", text[-half:]]
        self.emit(
            "error",
            cell=self._cell,
            line=line,
            ename=ename,
            evalue=self._public(evalue)[:TRACEBACK_LIMIT],
            traceback=traceback,
        )

    def cell_finished(self, ok: bool, seconds: float) -> None:
        """Closes the cell that `cell_started` opened."""
        self.end_streams()
        self.emit("cell_finished", cell=self._cell, ok=ok, seconds=round(seconds, 3))

    def exited(self, value: str) -> None:
        """What was handed to `dbutils.notebook.exit`."""
        self.emit("exit", value=self._public(value))

    def end_streams(self) -> None:
        """Writes what the share has kept of the streams' end."""
        for name, text in self._share.rest():
            self._write_stream(name, text)
        self._share = Share(full=True)

    def _write_stream(self, name: str, text: str) -> None:
        for start in range(0, len(text), CHUNK):
            self.emit("stream", cell=self._cell, name=name, text=text[start : start + CHUNK])

    def _public(self, text: str) -> str:
        """The text without secrets, and with the workspace's name for a path rather than this machine's."""
        return self._paths.virtual_text(self.redaction.of_text(text))

    def _is_full(self) -> bool:
        return self._written > LOG_LIMIT
