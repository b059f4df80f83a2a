"""sys.stdout and sys.stderr of a notebook: text goes to the event log, line by line."""

from __future__ import annotations

import codecs
import io
import os
import sys
import threading
from collections.abc import Callable

Sink = Callable[[str, str], None]
# Text without a line break waits until there is this much of it, in characters.
PENDING_LIMIT = 64 * 1024


class StreamText(io.TextIOBase):
    """A text stream that hands complete lines to a sink.

    Until a sink is there (a process that warms up before its turn), text goes to the process's own
    file descriptor, that is to its log.
    """

    def __init__(self, name: str, descriptor: int) -> None:
        super().__init__()
        self._name = name
        self._descriptor = descriptor
        self._sink: Sink | None = None
        self._pending: list[str] = []
        self._pending_size = 0
        # Re-entrant: a signal handler may print while a line is being written.
        self._lock = threading.RLock()
        self._bytes = _StreamBytes(self)

    @property
    def name(self) -> str:
        """What `sys.stdout.name` gives elsewhere."""
        return f"<{self._name}>"

    @property
    def encoding(self) -> str:
        """Always UTF-8: the event log is."""
        return "utf-8"

    @property
    def errors(self) -> str:
        """Text that is no valid Unicode is written escaped."""
        return "backslashreplace"

    @property
    def buffer(self) -> _StreamBytes:
        """The bytes below the text, for those who write to `sys.stdout.buffer`."""
        return self._bytes

    def connect(self, sink: Sink) -> None:
        """From now on lines go to `sink(name, text)`."""
        with self._lock:
            self.flush()
            self._sink = sink

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Never: progress bars draw plain lines then."""
        return False

    def fileno(self) -> int:
        """The descriptor that child processes inherit; it leads to the process's log."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Takes text; what ends with a line break leaves at once."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        with self._lock:
            self._pending.append(text)
            self._pending_size += len(text)
            if "\n" in text or "\r" in text or self._pending_size > PENDING_LIMIT:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Sends what is pending."""
        with self._lock:
            text = "".join(self._pending)
            self._pending.clear()
            self._pending_size = 0
            if not text:
                return
            if self._sink is not None:
                self._sink(self._name, text)
            else:
                os.write(self._descriptor, text.encode("utf-8", errors="backslashreplace"))


class _StreamBytes(io.RawIOBase):
    """`sys.stdout.buffer`: decodes what arrives, also where a character comes in two writes."""

    def __init__(self, text: StreamText) -> None:
        super().__init__()
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._text.write(self._decoder.decode(bytes(data)))
        return len(data)


def install() -> tuple[StreamText, StreamText]:
    """Replaces sys.stdout and sys.stderr; libraries that keep them keep the right ones."""
    out, err = StreamText("stdout", 1), StreamText("stderr", 2)
    sys.stdout, sys.stderr = out, err  # type: ignore[assignment]
    return out, err
