"""Cells of a notebook in source format."""

from __future__ import annotations

import pytest
from notebook_kernel import source
from notebook_kernel.source import Cell, NotAPythonNotebook

HEADER = "# Databricks notebook source\n"


def parse(text: str) -> list[Cell]:
    return source.parse(text, "/Workspace/nb/Main")


def test_cells_know_their_lines() -> None:
    cells = parse(HEADER + "a = 1\n\n# COMMAND ----------\n\n\nb = 2\n# COMMAND ----------\nc = 3\n")
    assert [(cell.line, cell.source) for cell in cells] == [(2, "a = 1"), (7, "b = 2"), (9, "c = 3")]


def test_only_the_exact_line_splits() -> None:
    text = HEADER + 'x = """\n # COMMAND ----------\n# COMMAND ---------\n"""\n'
    assert len(parse(text)) == 1


def test_magic_lines_lose_their_prefix_and_keep_their_place() -> None:
    (cell,) = parse(HEADER + "# DBTITLE 1,Say it\n# MAGIC %md\n# MAGIC\n# MAGIC # Title\n# MAGIC text\n")
    assert cell.title == "Say it"
    assert cell.magic == "md"
    assert cell.body == "\n# Title\ntext"
    assert cell.line == 3


def test_an_argument_on_the_magics_line_belongs_to_the_body() -> None:
    (cell,) = parse(HEADER + '# MAGIC %run ./other $a="1"\n')
    assert (cell.magic, cell.body) == ("run", './other $a="1"')


def test_a_line_magic_is_no_cell_magic() -> None:
    (cell,) = parse(HEADER + "# MAGIC %pip install x\n")
    assert cell.magic is None


def test_cells_without_text_are_none() -> None:
    assert parse(HEADER + "\n# COMMAND ----------\n\n# COMMAND ----------\n") == []


def test_other_files_are_refused_by_name() -> None:
    with pytest.raises(NotAPythonNotebook, match="Databricks notebook source"):
        parse("import os\n")
