"""Reading a notebook in Databricks' source format: a Python file with marker comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER = "# Databricks notebook source"
SEPARATOR = "# COMMAND ----------"
MAGIC = "# MAGIC"
TITLE = re.compile(r"^# DBTITLE \d+,(.*)$")
# Magics that take the whole cell, whatever stands below them.
CELL_MAGIC = re.compile(r"^%(md-sandbox|md|sh|sql|scala|r|run|fs|python)(?:\s+(.*))?$", re.IGNORECASE)


class NotAPythonNotebook(ValueError):
    """The file is no notebook in Python source format."""


@dataclass(frozen=True)
class Cell:
    """One cell: `line` is the 1-based line in the file on which `source` starts."""

    index: int
    line: int
    title: str | None
    source: str
    magic: str | None

    @property
    def body(self) -> str:
        """The text that belongs to the cell's magic: rest of the first line, then what follows."""
        if self.magic is None:
            return self.source
        first, _, rest = self.source.partition("\n")
        match = CELL_MAGIC.match(first.strip())
        argument = (match.group(2) or "") if match else ""
        return "\n".join(part for part in (argument, rest) if part) if rest else argument


def parse(text: str) -> list[Cell]:
    """Cells of a notebook, with the true line of each.

    Cells without any text are dropped, as Databricks shows none either.
    """
    lines = text.splitlines()
    if not lines or lines[0].strip() != HEADER:
        raise NotAPythonNotebook(
            f"the first line must be '{HEADER}': only notebooks in Python source format can be run"
        )
    cells: list[Cell] = []
    start = 1
    for number in range(1, len(lines) + 1):
        if number == len(lines) or lines[number].rstrip() == SEPARATOR:
            cell = _cell(len(cells), lines[start:number], start + 1)
            if cell is not None:
                cells.append(cell)
            start = number + 1
    return cells


def _cell(index: int, lines: list[str], first_line: int) -> Cell | None:
    title = None
    kept: list[str] = []
    for line in lines:
        match = TITLE.match(line)
        if match and title is None:
            title = match.group(1).strip()
            # A blank line in its place keeps the numbers of the lines below it.
            kept.append("")
        else:
            kept.append(_without_prefix(line))
    leading = 0
    while leading < len(kept) and not kept[leading].strip():
        leading += 1
    while len(kept) > leading and not kept[-1].strip():
        kept.pop()
    kept = kept[leading:]
    if not kept:
        return None
    match = CELL_MAGIC.match(kept[0].strip())
    magic = match.group(1).lower() if match else None
    return Cell(index, first_line + leading, title, "\n".join(kept), magic)


def _without_prefix(line: str) -> str:
    if line == MAGIC:
        return ""
    if line.startswith(MAGIC + " "):
        return line[len(MAGIC) + 1 :]
    return line
