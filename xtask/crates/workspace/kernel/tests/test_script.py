"""Python files, run as the workspace runs them."""

from __future__ import annotations

import pytest


def test_a_file_is_a_program_with_arguments(run) -> None:
    outcome = run(
        "import sys\ndef main():\n    print(sys.argv[1:], __name__)\nif __name__ == '__main__':\n    main()\n1 + 1\n",
        kind="python_file",
        arguments=["--rows", "10"],
    )
    assert outcome.code == 0
    assert outcome.printed == "['--rows', '10'] __main__\n"
    assert [event["event"] for event in outcome.events] == [
        "notebook", "cell_started", "stream", "cell_finished", "finished",
    ]  # fmt: skip


def test_a_failure_names_the_line(run) -> None:
    outcome = run("def f():\n    raise KeyError('x')\n\nf()\n", kind="python_file")
    assert outcome.code == 1
    assert (outcome.error["line"], outcome.error["ename"]) == (2, "KeyError")
    trace = "".join(outcome.error["traceback"])
    assert "/Workspace/nb/Main:4" in trace
    assert "script.py" not in trace


@pytest.mark.parametrize(("code", "expected"), [("0", 0), ("", 0), ("3", 1), ("'no'", 1)])
def test_exit_codes_count(run, code, expected) -> None:
    assert run(f"import sys\nsys.exit({code})\n", kind="python_file").code == expected


def test_dbutils_is_imported(run) -> None:
    pytest.importorskip("databricks.sdk")
    outcome = run(
        "from databricks.sdk.runtime import dbutils\ndbutils.jobs.taskValues.set('n', 1)\n"
        "print(dbutils.jobs.taskValues.get('Prep', 'm'))\n",
        kind="python_file",
        task_values={"Prep": {"m": 41}},
    )
    assert outcome.printed == "41\n"
    assert (outcome.folder / "task_values.json").read_text() == '{"n": 1}'


@pytest.mark.parametrize(("name", "hint"), [("dbutils", "databricks.sdk.runtime"), ("__file__", "sys.argv[0]")])
def test_names_that_databricks_does_not_give_are_explained(run, name, hint) -> None:
    outcome = run(f"print({name})\n", kind="python_file")
    assert outcome.error["ename"] == "NameError"
    assert hint in outcome.error["evalue"]


def test_mlflow_knows_the_job_and_takes_the_file_for_no_notebook(run) -> None:
    pytest.importorskip("mlflow")
    outcome = run(
        "from mlflow.tracking.context.registry import resolve_tags\ntags = resolve_tags()\n"
        "print(tags['mlflow.source.type'], tags['mlflow.databricks.jobID'], tags['mlflow.databricks.jobRunID'])\n"
        "print([tag for tag in tags if 'notebook' in tag])\n",
        kind="python_file",
    )
    assert outcome.printed == "JOB 11 33\n[]\n"


DBUTILS_OF_SPARK = "from pyspark.dbutils import DBUtils\ndbutils = DBUtils(None)\ndbutils.jobs.taskValues.set('n', 3)\n"


@pytest.mark.parametrize("kind", ["python_file", "notebook"])
def test_dbutils_is_where_databricks_own_pyspark_has_it(run, kind) -> None:
    outcome = run(DBUTILS_OF_SPARK, kind=kind)
    assert outcome.code == 0, outcome.events
    assert (outcome.folder / "task_values.json").read_text() == '{"n": 3}'


def test_a_module_finds_dbutils_the_same_way(run) -> None:
    (run.files / "nb/lib.py").write_text(f"def leave():\n    {DBUTILS_OF_SPARK.strip().replace(chr(10), '; ')}\n")
    outcome = run("import lib\nlib.leave()\n", kind="python_file")
    assert (outcome.folder / "task_values.json").read_text() == '{"n": 3}'


@pytest.mark.parametrize("kind", ["python_file", "notebook"])
@pytest.mark.parametrize("source", ["import os\nos._exit(0)\n", "import os\nos.execv('/bin/true', ['true'])\n"])
def test_a_process_that_the_code_ends_tells_no_success(run, source, kind) -> None:
    outcome = run(source, kind=kind)
    assert outcome.code == 0
    assert outcome.all("finished") == outcome.all("cell_finished") == []


@pytest.mark.parametrize("kind", ["python_file", "notebook"])
def test_a_process_that_the_code_forked_ends_nothing_of_the_run(run, kind) -> None:
    forks = "import os, sys\nif os.fork() == 0:\n    print('child')\n    sys.exit(0)\nos.wait()\nprint('parent')\n"
    outcome = run(forks + "os._exit(0)\n", kind=kind)
    assert outcome.printed.startswith("child\n")
    assert "error" not in {event["event"] for event in outcome.events}
    assert outcome.all("finished") == []
    assert run(forks, kind=kind).all("finished")[-1]["ok"]
