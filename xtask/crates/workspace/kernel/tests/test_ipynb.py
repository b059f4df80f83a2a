"""Notebooks in Jupyter's format."""

from __future__ import annotations

import json

import pytest
from notebook_kernel.formats import read
from notebook_kernel.source import NotAPythonNotebook


def notebook(*cells, **fields) -> str:
    """A notebook with these cells: text for code, or the whole cell."""
    made = [
        {"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": []}
        if isinstance(cell, str)
        else cell
        for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made, **fields})


MARKDOWN = {"cell_type": "markdown", "source": ["# Title\n", "text"]}


def test_cells_are_read_with_their_kind_and_title() -> None:
    titled = {
        "cell_type": "code",
        "source": "\n\nx = 1",
        "metadata": {"application/vnd.databricks.v1+cell": {"title": "Set it"}},
    }
    cells = read(notebook(MARKDOWN, "", titled, "%run ./Other"), "/Workspace/nb/Main").cells
    assert [(cell.magic and cell.magic.name, cell.line, cell.title) for cell in cells] == [
        ("md", 1, None), (None, 3, "Set it"), ("run", 1, None),
    ]  # fmt: skip
    assert cells[0].magic.body == "# Title\ntext"
    assert (cells[2].magic.body, cells[2].name) == ("./Other", "/Workspace/nb/Main, cell 3")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not a valid Jupyter notebook"),
        ('{"worksheets": []}', "older than nbformat 4"),
        (notebook("1", metadata={"kernelspec": {"language": "R"}}), "is in r"),
    ],
)
def test_what_cannot_be_run_is_said(text, why) -> None:
    with pytest.raises(NotAPythonNotebook, match=why):
        read(text, "/x")


def test_it_runs_and_a_failure_names_cell_and_line(run) -> None:
    outcome = run(
        notebook(
            MARKDOWN,
            "import os\ndef fail():\n    raise ValueError('no rows')\n",
            "%cd /Workspace/nb\nprint(os.path.basename(os.getcwd()))\n1 + 1",
            "\nx = 1\nfail()",
        ),
        header="",
    )
    assert outcome.code == 1
    assert outcome.printed.endswith("nb\n")
    assert outcome.all("display")[0]["data"]["text/markdown"] == "# Title\ntext"
    assert outcome.all("display")[1]["data"]["text/plain"] == "2"
    assert (outcome.error["cell"], outcome.error["line"]) == (3, 3)
    trace = "".join(outcome.error["traceback"])
    assert "/Workspace/nb/Main, cell 4:3" in trace
    assert "/Workspace/nb/Main, cell 2:3" in trace


def test_either_format_includes_the_other(run) -> None:
    (run.files / "nb/Jupyter").write_text(notebook("%run ./Source", "a = b + 1"))
    (run.files / "nb/Source").write_text("# Databricks notebook source\nb = 1\n")
    outcome = run("# MAGIC %run ./Jupyter\n# COMMAND ----------\nprint(a)\n")
    assert outcome.printed == "2\n"


def with_environment(**fields) -> dict:
    """Metadata as Databricks' editor writes it."""
    return {"application/vnd.databricks.v1+notebook": {"environmentMetadata": fields, "language": "python"}}


def test_the_environment_is_read_from_metadata_or_from_a_block() -> None:
    metadata = with_environment(base_environment="", environment_version="2", dependencies=["tabulate==0.9.0"])
    assert read(notebook("1", metadata=metadata), "/x").environment.dependencies == ("tabulate==0.9.0",)
    block = '# /// script\n# [tool.databricks.environment]\n# dependencies = ["a"]\n# ///\n%md\n# T'
    found = read(notebook(block), "/x")
    assert found.environment.dependencies == ("a",)
    assert (found.cells[0].magic.name, found.cells[0].line) == ("md", 5)
    assert read(notebook(block, metadata=metadata), "/x").environment.dependencies == ("tabulate==0.9.0",)
    assert read(notebook("1", metadata=with_environment()), "/x").environment.dependencies == ()


def test_lines_of_a_cell_end_at_line_breaks_only(run) -> None:
    outcome = run(notebook("s = 'a\u2028b'\r\nprint(len(s))\r\n1 / 0"), header="")
    assert (outcome.printed, outcome.error["line"]) == ("3\n", 3)
