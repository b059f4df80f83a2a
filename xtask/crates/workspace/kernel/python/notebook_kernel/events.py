"""The event log of a notebook run: one JSON object a line, written as things happen, bounded."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

VERSION = 1
MEBIBYTE = 1024 * 1024
# What one cell may print, one display may weigh, and the whole log may grow to. A notebook that
# prints in an endless loop must fill neither the disk nor the page that shows it.
STREAM_LIMIT = 1 * MEBIBYTE
DISPLAY_LIMIT = 8 * MEBIBYTE
LOG_LIMIT = 64 * MEBIBYTE
CHUNK = 64 * 1024
TRACEBACK_LIMIT = 128 * 1024


class EventLog:
    """Appends events to a file; each is one `write`, so that a reader never sees half a line."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._written = os.fstat(self._fd).st_size
        self._cell: int | None = None
        self._streamed = 0

    def emit(self, event: str, **fields: Any) -> None:
        """Writes one event. A full log takes only the events that tell how the run ended."""
        record = {"v": VERSION, "t": time.time_ns() // 1_000_000, "event": event, **fields}
        data = (json.dumps(record, ensure_ascii=False, default=str) + "\n").encode("utf-8", errors="backslashreplace")
        if event in {"stream", "display"} and self._written + len(data) > LOG_LIMIT:
            return
        self._written += len(data)
        while data:
            data = data[os.write(self._fd, data) :]

    def cell_started(self, cell: int, line: int, source: str, title: str | None) -> None:
        """Opens a cell: streams and displays are counted to it from now on."""
        self._cell = cell
        self._streamed = 0
        self.emit("cell_started", cell=cell, line=line, source=source, title=title)

    def stream(self, name: str, text: str) -> None:
        """Text that was printed, cut once the cell has printed more than its share."""
        if not text or self._streamed > STREAM_LIMIT:
            return
        room = STREAM_LIMIT - self._streamed
        self._streamed += len(text)
        kept = text[:room]
        for start in range(0, len(kept), CHUNK):
            self.emit("stream", cell=self._cell, name=name, text=kept[start : start + CHUNK])
        if self._streamed > STREAM_LIMIT:
            note = f"\n[output cut: a cell may print {STREAM_LIMIT // MEBIBYTE} MiB]\n"
            self.emit("stream", cell=self._cell, name="stderr", text=note)

    def display(self, data: dict[str, Any]) -> None:
        """A rich output; a representation that is too large gives way to a line saying so."""
        kept: dict[str, Any] = {}
        for mime, value in data.items():
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            if len(text) <= DISPLAY_LIMIT:
                kept[mime] = text
            else:
                size = len(text) // MEBIBYTE
                limit = DISPLAY_LIMIT // MEBIBYTE
                kept.setdefault("text/plain", f"[{mime} of {size} MiB left out: the limit is {limit} MiB]")
        self.emit("display", cell=self._cell, data=kept)

    def error(self, line: int | None, ename: str, evalue: str, traceback: list[str]) -> None:
        """What ended a cell: `line` is the line in the notebook's file."""
        text = "\n".join(traceback)
        if len(text) > TRACEBACK_LIMIT:
            half = TRACEBACK_LIMIT // 2
            traceback = [text[:half], "[traceback cut]", text[-half:]]
        self.emit(
            "error",
            cell=self._cell,
            line=line,
            ename=ename,
            evalue=evalue[:TRACEBACK_LIMIT],
            traceback=traceback,
        )

    def cell_finished(self, ok: bool, seconds: float) -> None:
        """Closes the cell that `cell_started` opened."""
        self.emit("cell_finished", cell=self._cell, ok=ok, seconds=round(seconds, 3))
