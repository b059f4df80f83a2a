"""How much of what a cell prints is kept: its beginning as it comes, and its end."""

from __future__ import annotations

from collections import deque

MEBIBYTE = 1024 * 1024
HEAD = MEBIBYTE // 2
TAIL = MEBIBYTE // 2
# What a cell may print once the whole log is full.
TAIL_WHEN_FULL = 4096
# What an event weighs beside its text.
EVENT_COST = 64


class Share:
    """The share of one cell, in characters. What lies between beginning and end is counted, not kept."""

    def __init__(self, full: bool = False) -> None:
        self._room = 0 if full else HEAD
        self._limit = TAIL_WHEN_FULL if full else TAIL
        self._tail: deque[tuple[str, str]] = deque()
        self._size = 0
        self._dropped = 0

    def take(self, name: str, text: str) -> str:
        """Takes what was printed and gives back the part that is to be written now."""
        now = text[: max(self._room, 0)]
        self._room -= len(text) + EVENT_COST
        self._keep(name, text if not now else text[len(now) :])
        return now

    def rest(self) -> list[tuple[str, str]]:
        """What is to be written when the cell has ended: what was left out, and the end."""
        parts = list(self._tail)
        if self._dropped:
            note = f"\n[output cut: {_size(self._dropped)} left out here]\n"
            parts.insert(0, ("stderr", note))
        self._tail.clear()
        return parts

    def _keep(self, name: str, text: str) -> None:
        if not text:
            return
        if len(text) > self._limit:
            self._dropped += len(text) - self._limit
            text = text[-self._limit :]
        # Lines of the same stream are joined as they come, in pieces that are small beside the whole.
        if self._tail and self._tail[-1][0] == name and len(self._tail[-1][1]) < self._limit // 64:
            text_before = self._tail.pop()[1]
            self._size -= len(text_before)
            text = text_before + text
        self._tail.append((name, text))
        self._size += len(text)
        while self._size > self._limit:
            first, oldest = self._tail.popleft()
            excess = self._size - self._limit
            self._size -= len(oldest)
            self._dropped += min(excess, len(oldest))
            if excess < len(oldest):
                self._tail.appendleft((first, oldest[excess:]))
                self._size += len(oldest) - excess


def _size(characters: int) -> str:
    if characters < MEBIBYTE:
        return f"{characters} characters"
    return f"{characters / MEBIBYTE:.1f} million characters"
