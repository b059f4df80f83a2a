"""Notebooks, run as the workspace runs them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import time

import pytest


def test_events_tell_what_happens_in_order(run) -> None:
    outcome = run("print('a')\n1 + 1\n# COMMAND ----------\n# MAGIC %md\n# MAGIC # T\n")
    assert outcome.code == 0
    assert [event["event"] for event in outcome.events] == [
        "notebook", "cell_started", "stream", "display", "cell_finished",
        "cell_started", "display", "cell_finished", "finished",
    ]  # fmt: skip
    assert outcome.events[0]["cells"] == 2
    assert outcome.all("display")[0]["data"]["text/plain"] == "2"
    assert outcome.all("display")[1]["data"]["text/markdown"] == "# T"
    assert outcome.events[-1]["ok"] is True


def test_a_failure_names_the_line_in_the_file(run) -> None:
    outcome = run(
        "def f():\n    return 1 / 0\n\n# COMMAND ----------\n\n# a comment\nx = 1\nf()\n"
        "# COMMAND ----------\nprint('never')\n"
    )
    assert outcome.code == 1
    assert (outcome.error["cell"], outcome.error["line"]) == (1, 3)
    assert outcome.error["ename"] == "ZeroDivisionError"
    trace = "".join(outcome.error["traceback"])
    assert "/Workspace/nb/Main:9" in trace
    assert "/Workspace/nb/Main:3" in trace
    assert "never" not in outcome.printed
    assert outcome.events[-1] | {"t": 0} == {"v": 1, "t": 0, "event": "finished", "ok": False}


def test_a_syntax_error_names_its_line(run) -> None:
    outcome = run("a = 1\n# COMMAND ----------\nb = 2\nc = = 3\n")
    assert (outcome.error["line"], outcome.error["ename"]) == (5, "SyntaxError")


def test_parameters_beat_defaults(run) -> None:
    outcome = run(
        """
dbutils.widgets.text("a", "default")
dbutils.widgets.dropdown("b", "x", ["x", "y"])
dbutils.widgets.multiselect("m", "x", ["x", "y"])
dbutils.widgets.combobox("c", "free", ["x"])
print(dbutils.widgets.get("a"), dbutils.widgets.get("b"), sorted(dbutils.widgets.getAll().items()))
dbutils.widgets.remove("c")
dbutils.widgets.get("c")
""",
        parameters={"a": "given", "b": "not a choice"},
    )
    assert outcome.printed.startswith("given not a choice [('a', 'given'), ('b', 'not a choice')")
    assert outcome.error["ename"] == "InputWidgetNotDefined"
    assert "'c'" in outcome.error["evalue"]


def test_exit_ends_the_notebook_with_its_value(run) -> None:
    outcome = run(
        "try:\n    dbutils.notebook.exit(0)\nexcept Exception:\n    print('caught')\n"
        "# COMMAND ----------\nprint('never')\n"
    )
    assert outcome.code == 0
    assert outcome.all("exit")[0]["value"] == "0"
    assert outcome.printed == ""


def test_task_values_keep_their_types(run) -> None:
    outcome = run(
        """
dbutils.jobs.taskValues.set("n", 3)
dbutils.jobs.taskValues.set(key="o", value={"a": [1]})
print(dbutils.jobs.taskValues.get("Prep", "m") + 1, dbutils.jobs.taskValues.get("Prep", "z", 7))
dbutils.jobs.taskValues.get("Other", "m")
""",
        task_values={"Prep": {"m": 41}},
    )
    assert outcome.printed == "42 7\n"
    assert "Prep" in outcome.error["evalue"]
    assert "depends_on" in outcome.error["evalue"]
    assert json.loads((outcome.folder / "task_values.json").read_text()) == {"n": 3, "o": {"a": [1]}}


def test_a_task_value_that_json_cannot_hold_is_refused_where_it_is_set(run) -> None:
    outcome = run('dbutils.jobs.taskValues.set("loss", float("nan"))')
    assert "'loss' cannot be written as JSON" in outcome.error["evalue"]


def test_restart_goes_on_in_a_fresh_interpreter(run) -> None:
    source = (
        'dbutils.widgets.text("w", "kept")\nx = 1\n# COMMAND ----------\n'
        "dbutils.library.restartPython()\nprint('never')\n# COMMAND ----------\n"
        "print(dbutils.widgets.get('w'), 'x' in globals())\n"
    )
    first = run(source)
    assert first.code == 75
    assert not first.all("finished")
    second = run(source, **json.loads((first.folder / "restart.json").read_text()))
    assert (second.code, second.printed) == (0, "kept False\n")
    assert len(second.all("notebook")) == 1


def test_another_notebook_is_included(run) -> None:
    header = "# Databricks notebook source\n"
    (run.files / "nb/Other").write_text(
        header + "value = dbutils.widgets.get('p')\ndef fail():\n    raise KeyError('gone')\n"
    )
    outcome = run('# MAGIC %run ./Other $p="from here"\n# COMMAND ----------\nprint(value)\nfail()\n')
    assert outcome.printed == "from here\n"
    assert "/Workspace/nb/Other:4" in "".join(outcome.error["traceback"])
    assert outcome.error["line"] == 5


def test_plots_become_images(run) -> None:
    pytest.importorskip("matplotlib")
    outcome = run("import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.plot([1, 2])\nplt.show()\n")
    assert any("image/png" in event["data"] for event in outcome.all("display"))


def test_shell_cells_print(run) -> None:
    outcome = run("# MAGIC %sh\n# MAGIC echo one; false\n# COMMAND ----------\n# MAGIC %sh -e\n# MAGIC exit 3\n")
    assert "one\n" in outcome.printed
    assert "exit code 1" in outcome.printed
    assert "exit code 3" in outcome.error["evalue"]


without_spark = pytest.mark.skipif(importlib.util.find_spec("pyspark") is not None, reason="pyspark is installed")


@without_spark
def test_sql_without_spark_explains_itself(run) -> None:
    error = run("# MAGIC %sql\n# MAGIC SELECT 1\n").error
    assert (error["ename"], "XTASK_EXTRAS=spark" in error["evalue"]) == ("NoSpark", True)


@without_spark
def test_spark_explains_itself(run) -> None:
    outcome = run("spark.table('x')\n")
    assert outcome.error["ename"] == "NameError"
    assert "pyspark is not installed" in outcome.error["evalue"]


def test_the_context_is_databricks_own(run) -> None:
    outcome = run(
        """
context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
print(context.notebookPath().get(), context.tags().get("jobId").get(), context.nothing().isDefined())
from dbruntime.databricks_repl_context import get_context
print(get_context().jobId, get_context().idInJob, get_context().workspaceUrl)
"""
    )
    assert outcome.printed == "/nb/Main 11 False\n11 33 127.0.0.1:1\n"


def test_what_is_registered_for_the_end_is_run(run) -> None:
    outcome = run("import atexit\natexit.register(lambda: print('at the end'))\n1 / 0\n")
    assert outcome.printed == "at the end\n"
    assert outcome.events[-1]["event"] == "finished"


def test_a_cancelled_notebook_cleans_up(run) -> None:
    process, folder = run.start(
        "import time\ntry:\n    print('began')\n    time.sleep(60)\n"
        "except Exception:\n    print('swallowed')\nfinally:\n    print('cleaned')\n"
    )
    events = folder / "events.jsonl"
    deadline = time.monotonic() + 30
    while not (events.exists() and '"text": "began' in events.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGTERM)
    outcome = run.outcome(process, folder)
    assert outcome.code == 1
    assert outcome.printed == "began\ncleaned\n"
    assert outcome.error["ename"] == "Cancelled"


def test_a_process_whose_starter_is_gone_ends(run) -> None:
    process, folder = run.start("import time\nprint('began')\ntime.sleep(60)\n")
    events = folder / "events.jsonl"
    deadline = time.monotonic() + 30
    while not (events.exists() and '"text": "began' in events.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) != 0


@pytest.mark.parametrize("leave", ["exit()", "quit()"])
def test_leaving_a_session_ends_no_notebook(run, leave) -> None:
    outcome = run(f"{leave}\n")
    assert outcome.code == 1
    assert "dbutils.notebook.exit" in outcome.error["evalue"]
