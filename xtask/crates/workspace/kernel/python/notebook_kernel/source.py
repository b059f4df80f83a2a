"""Reading a notebook in Databricks' source format: a Python file with marker comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from notebook_kernel.environment_block import NO_ENVIRONMENT, Environment, take_block
from notebook_kernel.words import lines as lines_of

HEADER = "# Databricks notebook source"
SEPARATOR = "# COMMAND ----------"
MAGIC = "# MAGIC"
OTHER_LANGUAGES = {"--": "SQL", "//": "Scala"}
TITLE = re.compile(r"^# DBTITLE \d+,(.*)$")
# Magics that take the whole cell, whatever stands below them.
CELL_MAGICS = ("md-sandbox", "md", "sh", "sql", "scala", "r", "run", "fs", "python", "skip")
CELL_MAGIC = re.compile(rf"^%({'|'.join(CELL_MAGICS)})(?:\s+(.*))?$", re.IGNORECASE)


class NotAPythonNotebook(ValueError):
    """The file is no notebook in Python source format."""


@dataclass(frozen=True)
class Magic:
    """The magic that takes a whole cell. `above` counts the lines over it: comments and blank ones."""

    name: str
    argument: str
    rest: str
    above: int

    @property
    def body(self) -> str:
        """The text that belongs to the magic: the rest of its line, then what follows."""
        return "\n".join(part for part in (self.argument, self.rest) if part) if self.rest else self.argument


@dataclass(frozen=True)
class Cell:
    """One cell: `line` is the 1-based line of `text` on which `source` starts.

    `name` is what tracebacks call the text: the notebook, or for a format without lines of its own, the cell.
    """

    index: int
    line: int
    title: str | None
    source: str
    magic: Magic | None
    name: str
    text: str


@dataclass(frozen=True)
class Notebook:
    """A notebook as it is run: its cells, and the environment that it asks for."""

    cells: list[Cell]
    environment: Environment


def magic_of(source: str) -> Magic | None:
    """The magic that takes the whole cell, if a cell begins with one; comments may stand above it."""
    lines = source.split("\n")
    for above, line in enumerate(lines):
        text = line.strip()
        if text and not text.startswith("#"):
            match = CELL_MAGIC.match(text)
            rest = "\n".join(lines[above + 1 :])
            return Magic(match.group(1).lower(), match.group(2) or "", rest, above) if match else None
    return None


def parse(text: str, path: str) -> Notebook:
    """A notebook's cells, with the true line of each, and its environment.

    Cells without any text are dropped, as Databricks shows none either.
    """
    lines = lines_of(text)
    if lines[0].lstrip("\ufeff").strip() != HEADER:
        raise NotAPythonNotebook(_why_not(lines[0]))
    environment: Environment | None = None
    cells: list[Cell] = []
    start = 1
    for number in range(1, len(lines) + 1):
        if number == len(lines) or lines[number].rstrip() == SEPARATOR:
            inside = lines[start:number]
            if start == 1:
                environment, inside = take_block(inside)
            found = _cell(inside, start + 1)
            if found is not None:
                line, title, source = found
                cells.append(Cell(len(cells), line, title, source, magic_of(source), path, text))
            start = number + 1
    return Notebook(cells, environment or NO_ENVIRONMENT)


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
