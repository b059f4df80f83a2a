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
        ("%run ./Nowhere", "there is no notebook at /Workspace/nb/Nowhere"),
        ("%run ./Main name=1", "is no parameter"),
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
