"""Reading a notebook in Databricks' source format: a Python file with marker comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER = "# Databricks notebook source"
SEPARATOR = "# COMMAND ----------"
MAGIC = "# MAGIC"
OTHER_LANGUAGES = {"--": "SQL", "//": "Scala"}
TITLE = re.compile(r"^# DBTITLE \d+,(.*)$")
# Magics that take the whole cell, whatever stands below them.
CELL_MAGIC = re.compile(r"^%(md-sandbox|md|sh|sql|scala|r|run|fs|python)(?:\s+(.*))?$", re.IGNORECASE)


class NotAPythonNotebook(ValueError):
    """The file is no notebook in Python source format."""


@dataclass(frozen=True)
class Cell:
    """One cell: `line` is the 1-based line of `text` on which `source` starts.

    `name` is what tracebacks call the text: the notebook, or for a format without lines of its own, the cell.
    """

    index: int
    line: int
    title: str | None
    source: str
    magic: str | None
    name: str
    text: str

    @property
    def body(self) -> str:
        """The text that belongs to the cell's magic: rest of the first line, then what follows."""
        if self.magic is None:
            return self.source
        first, _, rest = self.source.partition("\n")
        match = CELL_MAGIC.match(first.strip())
        argument = (match.group(2) or "") if match else ""
        return "\n".join(part for part in (argument, rest) if part) if rest else argument


def magic_of(source: str) -> str | None:
    """The magic that takes the whole cell, if the cell begins with one."""
    match = CELL_MAGIC.match(source.lstrip("\n").split("\n", 1)[0].strip())
    return match.group(1).lower() if match else None


def parse(text: str, path: str) -> list[Cell]:
    """Cells of a notebook, with the true line of each.

    Cells without any text are dropped, as Databricks shows none either.
    """
    lines = text.splitlines()
    if not lines or lines[0].lstrip("\ufeff").strip() != HEADER:
        raise NotAPythonNotebook(_why_not(lines[0] if lines else ""))
    cells: list[Cell] = []
    start = 1
    for number in range(1, len(lines) + 1):
        if number == len(lines) or lines[number].rstrip() == SEPARATOR:
            found = _cell(lines[start:number], start + 1)
            if found is not None:
                line, title, source = found
                cells.append(Cell(len(cells), line, title, source, magic_of(source), path, text))
            start = number + 1
    return cells


def _why_not(first_line: str) -> str:
    for comment, language in OTHER_LANGUAGES.items():
        if first_line.startswith(f"{comment} Databricks notebook source"):
            return f"the notebook is in {language}; the local workspace runs Python notebooks"
    return f"the first line must be '{HEADER}': only notebooks in Python source format can be run"


def _cell(lines: list[str], first_line: int) -> tuple[int, str | None, str] | None:
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
    return first_line + leading, title, "\n".join(kept)


def _without_prefix(line: str) -> str:
    if line == MAGIC:
        return ""
    if line.startswith(MAGIC + " "):
        return line[len(MAGIC) + 1 :]
    return line
