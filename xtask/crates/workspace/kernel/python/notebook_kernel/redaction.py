"""Values of secrets do not appear in what a notebook gives out, as far as they appear as they are."""

from __future__ import annotations

REDACTED = "[REDACTED]"


class Redaction:
    """The values that this process has read with `dbutils.secrets`."""

    def __init__(self) -> None:
        self._values: list[str] = []

    def add(self, value: str) -> None:
        """From now on this value is hidden. Longer ones go first: one may be part of another."""
        if value and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)

    def of_text(self, text: str) -> str:
        """The text without the values."""
        for value in self._values:
            text = text.replace(value, REDACTED)
        return text
