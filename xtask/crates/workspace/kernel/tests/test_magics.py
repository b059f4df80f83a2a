"""Magics of Databricks and of IPython."""

from __future__ import annotations

import json

import pytest

HEADER = "# Databricks notebook source\n"


def test_a_module_that_changed_is_seen_with_autoreload(run) -> None:
    (run.files / "nb/helper.py").write_text("def answer():\n    return 1\n")
    outcome = run(
        "# MAGIC %load_ext autoreload\n# MAGIC %autoreload 2\n# COMMAND ----------\n"
        "import helper\nprint(helper.answer())\n# COMMAND ----------\n"
        "with open('/Workspace/nb/helper.py', 'w') as file:\n    file.write('def answer():\\n    return 22\\n')\n"
        "# COMMAND ----------\nprint(helper.answer())\n"
    )
    assert outcome.code == 0, outcome.events
    assert outcome.printed.splitlines() == ["1", "22"]


def test_a_folder_is_changed_by_a_variable(run) -> None:
    (run.files / "lib/deep").mkdir(parents=True)
    (run.files / "lib/deep/mine.py").write_text("VALUE = 5\n")
    outcome = run(
        "folder = '/Workspace/lib'\n%cd $folder\n%cd deep\nimport mine\nprint(mine.VALUE)\n"
        "# COMMAND ----------\n# MAGIC %sh\n# MAGIC ls\n"
    )
    assert [line for line in outcome.printed.splitlines() if "/" not in line] == ["5", "__pycache__", "mine.py"]


def test_notebooks_include_one_another_from_where_they_are(run) -> None:
    (run.files / "nb/sub").mkdir()
    (run.files / "nb/sub/Inner").write_text(
        HEADER + "# MAGIC %run ../Leaf $w=\"${x}\"\n# COMMAND ----------\ninner = leaf + dbutils.widgets.get('v')\n"
    )
    (run.files / "nb/Leaf").write_text(HEADER + "leaf = 'leaf '\n")
    outcome = run("# MAGIC %run ./sub/Inner $v=\"a 'b'\"\n# COMMAND ----------\nprint(inner)\n")
    assert outcome.printed == "leaf a 'b'\n"


def test_a_circle_of_includes_is_named(run) -> None:
    (run.files / "nb/Other").write_text(HEADER + "# MAGIC %run ./Main\n")
    error = run("# MAGIC %run ./Other\n").error
    assert "/Workspace/nb/Main -> /Workspace/nb/Other -> /Workspace/nb/Main" in error["evalue"]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("%run ./Nowhere", "no notebook at /Workspace/nb/Nowhere"),
        ("%run ./Main name=1", "is not a parameter"),
        ("%scala\n# MAGIC val x = 1", "runs no Scala cells"),
        ("%r\n# MAGIC x <- 1", "runs no R cells"),
        ("%pip download x", "%pip download"),
        ("%sh -e\n# MAGIC false\n# MAGIC echo never", "exit code 1"),
    ],
)
def test_what_a_magic_cannot_do_is_said(run, cell, why) -> None:
    outcome = run(f"# MAGIC {cell}\n# COMMAND ----------\nprint('never')\n")
    assert outcome.code == 1
    assert why in outcome.error["evalue"]
    assert outcome.error["line"] == 2
    assert "never" not in outcome.printed


def test_the_shell_sees_the_notebooks_folder_and_variables(run) -> None:
    outcome = run(
        "import os\nos.environ['NAME'] = 'from Python'\nname = 'x y'\n!echo one \"$name\"; exit 3\nprint(_exit_code)\n"
        "# COMMAND ----------\n# MAGIC %sh\n# MAGIC printf 'no line break'\n# MAGIC echo \" $NAME\" >&2\n"
        "# COMMAND ----------\n%%bash\necho from IPython\n# COMMAND ----------\n# MAGIC %python\n# MAGIC print('py')\n"
    )
    assert outcome.code == 0, outcome.events
    assert outcome.printed == "one x y\n3\nno line break from Python\nfrom IPython\npy\n"


def test_the_interpreter_is_restarted_by_a_magic(run) -> None:
    outcome = run("dbutils.widgets.text('w', 'kept')\n%restart_python\n# COMMAND ----------\n1\n")
    assert outcome.code == 75
    left = json.loads((outcome.folder / "restart.json").read_text())
    assert left == {"start_cell": 1, "widgets": {"w": "kept"}, "overlays": [], "prepared": True}


@pytest.mark.parametrize(("comment", "language"), [("--", "SQL"), ("//", "Scala")])
def test_other_languages_are_named(run, comment, language) -> None:
    outcome = run(f"{comment} Databricks notebook source\nx\n", header="")
    assert f"is in {language}" in outcome.error["evalue"]


@pytest.mark.parametrize(
    "cell",
    [
        "# settings\n\n# MAGIC %run ./Param\n",
        '# MAGIC %run ./Param $v="a#b"  # it\'s the one\n# what follows is a comment, too\n',
    ],
)
def test_a_notebook_is_included_beside_comments(run, cell) -> None:
    (run.files / "nb/Param").write_text(
        HEADER + "dbutils.widgets.text('v', 'default')\nmode = dbutils.widgets.get('v')\n"
    )
    assert run(f"{cell}# COMMAND ----------\nprint(mode)\n").printed in ("default\n", "a#b\n")


@pytest.mark.parametrize(
    ("cell", "line", "why"),
    [
        ("x = 1\n%run ./Param\n", 3, "%run must be in a cell by itself"),
        ("# MAGIC %run ./Param\nprint('never')\n", 2, "%run must be in a cell by itself"),
        ("get_ipython().run_line_magic('run', './Param')\n", 2, "%run must be in a cell by itself"),
        ("# a comment\n# MAGIC %run ./Nowhere\n", 3, "no notebook at"),
        ("x = 1\n%sql SELECT 1\n", 3, "%sql must be the first line of its cell"),
        ("x = 1\n%md # Title\n", 3, "%md must be the first line of its cell"),
        ("# MAGIC %python\n# MAGIC\n# MAGIC 1 / 0\n", 4, "division by zero"),
        ("# MAGIC %python 1 / 0\n", 2, "division by zero"),
        ("%%capture\n1 / 0\nprint('never')\n", 3, "division by zero"),
        ("%%capture\n%nosuch\n", 3, "`%nosuch` not found"),
        ("%%capture\nx = = 1\n", 3, "invalid syntax"),
        ("%%capture\nraise ExceptionGroup('several', [ValueError('one')])\n", 3, "several"),
        ("%%time\n1 / 0\n", 2, "division by zero"),
        ("x = 1\n%time 1 / 0\nprint('never')\n", 3, "division by zero"),
        ("get_ipython().run_cell_magic('capture', '', '1 / 0')\nprint('never')\n", None, "division by zero"),
        ("%%profile\n1 / 0\n", 3, "division by zero"),
    ],
)
def test_what_fails_in_a_magic_fails_the_cell(run, cell, line, why) -> None:
    (run.files / "nb/Param").write_text(HEADER + "print('never')\n")
    outcome = run(f"{cell}# COMMAND ----------\nprint('never')\n")
    assert outcome.code == 1
    assert why in outcome.error["evalue"]
    assert line in (None, outcome.error["line"])
    assert "never" not in outcome.printed


def test_a_notebook_exits_from_within_a_magic(run) -> None:
    outcome = run("%%capture\ndbutils.notebook.exit('done')\n# COMMAND ----------\nprint('never')\n")
    assert (outcome.code, outcome.all("exit")[0]["value"], outcome.printed) == (0, "done", "")


def test_a_traceback_that_ends_nothing_is_output(run) -> None:
    outcome = run("result = get_ipython().run_cell('1 / 0')\nprint(result.success)\n")
    assert outcome.code == 0
    assert outcome.printed.startswith("False\n")
    assert "ZeroDivisionError" in outcome.printed


def test_databricks_own_magics_are_known(run) -> None:
    outcome = run(
        "# not now\n# MAGIC %skip\n# MAGIC print('never')\n# COMMAND ----------\n# MAGIC %skip 1 / 0\n"
        "# COMMAND ----------\n# MAGIC %set_cell_max_output_size_in_mb 10\n# COMMAND ----------\n"
        "%tensorboard --logdir /logs\n# COMMAND ----------\n%%oprofile\nprint('profiled')\n"
    )
    assert outcome.code == 0, outcome.events
    lines = outcome.printed.splitlines()
    assert lines[:2] == ["[%skip: the cell was not run]"] * 2
    assert [line.partition(" ")[0] for line in lines[2:4]] == ["[%set_cell_max_output_size_in_mb", "[%tensorboard"]
    assert lines[4:] == ["[%%oprofile: the local workspace runs the cell without profiling]", "profiled"]


def test_comments_stand_behind_magics(run) -> None:
    outcome = run(
        "%pip install ipython  # it's there\n# COMMAND ----------\n# MAGIC %fs ls /Volumes/c/s  # the schema\n"
    )
    assert outcome.code == 0, outcome.events
    assert "already satisfied: ipython\nFileInfo(path='dbfs:/Volumes/c/s/v/'" in outcome.printed


def test_characters_that_end_no_line_shift_none(run) -> None:
    outcome = run('s = "a\u2028b"\nprint(len(s))\n\x0c\nx = "\x85"\n%time y = 1\n1 / 0\n')
    assert outcome.printed.startswith("3\n")
    assert outcome.error["line"] == 7
    assert "Main:7" in "".join(outcome.error["traceback"])
