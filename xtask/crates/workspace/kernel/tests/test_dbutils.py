"""`dbutils`: files, widgets, and what is displayed."""

from __future__ import annotations

import pytest


def test_files_of_volumes_workspace_and_dbfs(run) -> None:
    outcome = run(
        """
fs = dbutils.fs
fs.put("/Volumes/c/s/v/a/one.txt", "héllo")
try:
    fs.put("dbfs:/Volumes/c/s/v/a/one.txt", "x")
except FileExistsError as error:
    print(error)
fs.put("dbfs:/Volumes/c/s/v/a/one.txt", "hello there", overwrite=True)
print(fs.head("/Volumes/c/s/v/a/one.txt", 5))
fs.mkdirs("/Volumes/c/s/v/a/deep/er")
print([(entry.path, entry.name, entry.size, entry.isDir()) for entry in fs.ls("/Volumes/c/s/v/a")])
for call in (lambda: fs.cp("/Volumes/c/s/v/a", "dbfs:/kept"), lambda: fs.rm("/Volumes/c/s/v/a")):
    try:
        call()
    except OSError as error:
        print(type(error).__name__, "recurse=True" in str(error))
fs.cp("/Volumes/c/s/v/a", "dbfs:/kept", recurse=True)
print(open("/dbfs/kept/one.txt").read(), fs.ls("/kept/one.txt")[0].path)
fs.mv("/kept/one.txt", "/Volumes/c/s/v/a/deep")
fs.mv("dbfs:/kept", "dbfs:/moved", True)
print([entry.name for entry in fs.ls("/")], [entry.name for entry in fs.ls("/Volumes/c/s/v/a/deep")])
print(fs.rm("/moved", True), fs.rm("/moved"), fs.ls("/"))
fs.cp("file:/Workspace/nb/Main", "dbfs:/Main")
print(fs.ls("file:/Workspace/nb")[0].path, fs.head("dbfs:/Main").startswith("# Databricks"))
# COMMAND ----------
# MAGIC %fs ls /Volumes/c/s/v
"""
    )
    assert outcome.code == 0, outcome.events
    assert outcome.printed.splitlines() == [
        "Wrote 6 bytes.",
        "dbfs:/Volumes/c/s/v/a/one.txt exists: pass overwrite=True to replace it",
        "Wrote 11 bytes.",
        "[Truncated to first 5 bytes]",
        "hello",
        "[('dbfs:/Volumes/c/s/v/a/deep/', 'deep/', 0, True), ('dbfs:/Volumes/c/s/v/a/one.txt', 'one.txt', 11, False)]",
        "IsADirectoryError True",
        "OSError True",
        "hello there dbfs:/kept/one.txt",
        "['moved/'] ['er/', 'one.txt']",
        "True False []",
        "file:/Workspace/nb/Main True",
        *[line for line in outcome.printed.splitlines() if line.startswith("FileInfo")],
    ]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("ls('s3://bucket/x')", "has no access to s3 storage"),
        ("ls('/nowhere')", "dbfs:/nowhere does not exist"),
        ("mount('wasbs://x')", "cannot mount cloud storage"),
    ],
)
def test_what_files_cannot_do_is_said(run, call, why) -> None:
    assert why in run(f"dbutils.fs.{call}\n").error["evalue"]


def test_widgets_of_all_kinds(run) -> None:
    outcome = run(
        """
widgets = dbutils.widgets
widgets.text("a", "1", "label")
widgets.dropdown("b", "x", ["x", "y"])
widgets.combobox("c", "free", ["x"], label="label")
widgets.multiselect("d", "x", ["x", "y"])
print(widgets.getAll())
print(widgets.getArgument("nope", "other"), getArgument("a"), widgets.getArgument("a", "other"))
for wrong in (lambda: widgets.dropdown("e", "z", ["x"]), lambda: widgets.text("", "x"),
              lambda: widgets.dropdown("e", "x", "x"), lambda: widgets.get("nope")):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)
widgets.remove("b")
print(sorted(widgets.getAll()))
widgets.removeAll()
print(widgets.getAll())
""",
        parameters={"d": "x,y", "given": "from the job"},
    )
    assert outcome.code == 0, outcome.events
    lines = outcome.printed.splitlines()
    assert lines[0] == "{'a': '1', 'b': 'x', 'c': 'free', 'd': 'x,y', 'given': 'from the job'}"
    assert lines[1] == "other 1 1"
    assert lines[2].startswith("ValueError the default 'z'")
    assert lines[3].startswith("ValueError a widget needs a non-empty name")
    assert lines[4].startswith("ValueError the choices of widget 'e'")
    assert lines[5].startswith("InputWidgetNotDefined")
    assert lines[6] == "['a', 'c', 'd', 'given']"
    assert lines[7] == "{'d': 'x,y', 'given': 'from the job'}"


def test_frames_files_figures_and_values_are_displayed(run) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    outcome = run(
        """
import pandas as pd
display(pd.DataFrame({"n": range(2000)}))
display(pd.Series([1, 2], name="s"))
dbutils.fs.put("/Volumes/c/s/v/x.txt", "x")
display(dbutils.fs.ls("/Volumes/c/s/v"))
display("text", 3)
displayHTML("<b>bold</b>")
# COMMAND ----------
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(1, 1))
plt.close(figure)
display(figure)
# COMMAND ----------
pd.DataFrame({"last": [1]})
"""
    )
    assert outcome.code == 0, outcome.events
    shown = [event["data"] for event in outcome.all("display")]
    assert shown[0]["text/html"].count("<tr") == 1001
    assert "the first 1,000 of 2,000 rows" in shown[0]["text/html"]
    assert "<td>2</td>" in shown[1]["text/html"]
    assert "dbfs:/Volumes/c/s/v/x.txt" in shown[2]["text/html"]
    assert (shown[3]["text/plain"], shown[4]["text/plain"]) == ("'text'", "3")
    assert shown[5]["text/html"] == "<b>bold</b>"
    assert "image/png" in shown[6]
    assert "last" in shown[7]["text/html"]


def test_members_of_the_jvm_bridge_are_there_or_named(run) -> None:
    outcome = run(
        """
entry = dbutils.notebook.entry_point
print(dict(entry.getCurrentBindings()), entry.getDbutils().notebook().getCurrentBindings()["a"])
context = dbutils.notebook.getContext()
print(context.notebookPath, context.notebookPath().get(), bool(context.nothing), context.nothing().nonEmpty())
tags = context.tags()
print(tags.contains("jobId"), tags["clusterId"], tags.get("jobId").toString(), tags.getOrElse("x", "y"))
for call in (lambda: entry.getLogger(), lambda: dbutils.credentials.assumeRole("x"), lambda: tags.keySet(),
             lambda: dbutils.fs.ll("/"), lambda: tags.get("jobId").map(len)):
    try:
        call()
    except AttributeError as error:
        print(error)
print(hasattr(dbutils, "preview"), hasattr(dbutils.secrets, "get"))
import copy
copy.copy(tags)
""",
        parameters={"a": "1"},
    )
    assert outcome.code == 0, outcome.events
    lines = outcome.printed.splitlines()
    assert lines[0] == "{'a': '1'} 1"
    assert lines[1] == "/nb/Main /nb/Main False False"
    assert lines[2] == "True local-workspace Some(11) y"
    for line, member in zip(
        lines[3:8],
        ["dbutils.notebook.entry_point.getLogger", "dbutils.credentials", "the context's tags.keySet", "dbutils.fs.ll",
         "Option.map"],
        strict=True,
    ):  # fmt: skip
        assert line.startswith(f"{member}: not supported by the local workspace (supported: ")
    assert lines[8] == "False True"


def test_every_part_has_help(run) -> None:
    outcome = run(
        "for part in (dbutils, dbutils.widgets, dbutils.notebook, dbutils.secrets, dbutils.jobs, dbutils.library,\n"
        "             dbutils.jobs.taskValues, dbutils.data):\n    part.help()\n"
        "print('--')\ndbutils.fs.help('ls')\n"
    )
    assert outcome.code == 0, outcome.events
    before, _, after = outcome.printed.partition("--\n")
    for name in ("dbutils.fs: ", "dbutils.widgets.text(name", "dbutils.secrets.get(scope", "dbutils.notebook.exit("):
        assert name in before
    assert after.startswith("dbutils.fs.ls(path")


def test_a_frame_is_summarized(run) -> None:
    pytest.importorskip("pandas")
    outcome = run("import pandas as pd\ndbutils.data.summarize(pd.DataFrame({'n': [1, 3]}), precise=True)\n")
    assert "mean" in outcome.all("display")[0]["data"]["text/html"]
