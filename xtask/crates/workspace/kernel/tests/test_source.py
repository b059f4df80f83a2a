"""Cells of a notebook in source format."""

from __future__ import annotations

import pytest
from notebook_kernel import source
from notebook_kernel.source import Cell, NotAPythonNotebook

HEADER = "# Databricks notebook source\n"


def parse(text: str) -> list[Cell]:
    return source.parse(text, "/Workspace/nb/Main").cells


def test_cells_know_their_lines() -> None:
    cells = parse(HEADER + "a = 1\n\n# COMMAND ----------\n\n\nb = 2\n# COMMAND ----------\nc = 3\n")
    assert [(cell.line, cell.source) for cell in cells] == [(2, "a = 1"), (7, "b = 2"), (9, "c = 3")]


def test_only_the_exact_line_splits() -> None:
    text = HEADER + 'x = """\n # COMMAND ----------\n# COMMAND ---------\n"""\n'
    assert len(parse(text)) == 1


def test_magic_lines_lose_their_prefix_and_keep_their_place() -> None:
    (cell,) = parse(HEADER + "# DBTITLE 1,Say it\n# MAGIC %md\n# MAGIC\n# MAGIC # Title\n# MAGIC text\n")
    assert cell.title == "Say it"
    assert cell.magic == source.Magic("md", "", "\n# Title\ntext", 0)
    assert cell.magic.body == "\n# Title\ntext"
    assert cell.line == 3


def test_an_argument_on_the_magics_line_belongs_to_the_body() -> None:
    (cell,) = parse(HEADER + '# MAGIC %run ./other $a="1"\n')
    assert (cell.magic.name, cell.magic.body) == ("run", './other $a="1"')


def test_a_line_magic_is_no_cell_magic() -> None:
    (cell,) = parse(HEADER + "# MAGIC %pip install x\n")
    assert cell.magic is None


def test_cells_without_text_are_none() -> None:
    assert parse(HEADER + "\n# COMMAND ----------\n\n# COMMAND ----------\n") == []


def test_other_files_are_refused_by_name() -> None:
    with pytest.raises(NotAPythonNotebook, match="Databricks notebook source"):
        parse("import os\n")


BLOCK = """# /// script
# [tool.databricks.environment]
# environment_version = "5"
# dependencies = [
#   "cowsay",
# ]
# ///
"""


@pytest.mark.parametrize("between", ["", "\n", "# DBTITLE 1,Fares\n"])
def test_the_editors_block_is_no_part_of_the_first_cell(between) -> None:
    notebook = source.parse(f"{HEADER}{BLOCK}{between}# MAGIC %md\n# MAGIC # Fares\n", "/x")
    assert notebook.environment.dependencies == ("cowsay",)
    (cell,) = notebook.cells
    assert (cell.magic.name, cell.source, cell.line) == ("md", "%md\n# Fares", 9 + bool(between))


def test_a_block_alone_is_no_cell_and_windows_lines_are_lines() -> None:
    text = f"{HEADER}{BLOCK}\n# COMMAND ----------\n1 / 0\n"
    notebook = source.parse(text.replace("\n", "\r\n"), "/x")
    assert [(cell.line, cell.source) for cell in notebook.cells] == [(11, "1 / 0")]
    assert notebook.environment.dependencies == ("cowsay",)


@pytest.mark.parametrize(
    ("block", "remark"),
    [
        ("# dependencies = [", "no TOML"),
        ('# dependencies = ["x"]', "Not installed: x."),
        ('# [tool.databricks.environment]\n# base_environment = "databricks_ml_v5"', "environment databricks_ml_v5"),
    ],
)
def test_what_of_a_block_is_not_done_is_said(block, remark) -> None:
    environment = source.parse(f"{HEADER}# /// script\n{block}\n# ///\n1\n", "/x").environment
    assert environment.dependencies == ()
    assert remark in environment.remarks[0]


@pytest.mark.parametrize("text", ["# /// script\n# x = 1\n", "y = 1\n" + BLOCK, "# COMMAND ----------\n" + BLOCK])
def test_other_comments_are_no_block(text) -> None:
    assert source.parse(HEADER + text, "/x").environment == source.NO_ENVIRONMENT


def test_comments_may_stand_above_a_magic() -> None:
    (cell,) = parse(HEADER + "# settings\n\n# MAGIC # more\n# MAGIC %run ./lib\n")
    assert cell.magic == source.Magic("run", "./lib", "", 3)
    (cell,) = parse(HEADER + "x = 1\n# MAGIC %run ./lib\n")
    assert cell.magic is None


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_lines_end_at_line_breaks_only(character) -> None:
    cells = parse(f'{HEADER}s = "a{character}b"\n# COMMAND ----------\nx = 1\n')
    assert [(cell.line, cell.source) for cell in cells] == [(2, f's = "a{character}b"'), (4, "x = 1")]
