"""Reads thresholds.toml, the one file with every limit of the gate and of monitoring."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

THRESHOLDS_FILE = Path(__file__).with_name("thresholds.toml")

Limits = TypeVar("Limits")


def read_limits(kind: type[Limits], table: str, path: str | Path = THRESHOLDS_FILE) -> Limits:
    """Reads one table of the file into a dataclass.

    A name that is missing or unknown is an error, so that no limit is left out by a typing slip.
    """
    with open(path, "rb") as file:
        found = tomllib.load(file).get(table, {})
    expected = {field.name for field in fields(kind)}
    if found.keys() != expected:
        wrong = ", ".join(sorted(found.keys() ^ expected))
        raise ValueError(
            f"{path}: missing or unknown in [{table}]: {wrong}; it must contain exactly: {', '.join(sorted(expected))}"
        )
    return kind(**found)
