"""Sessions that a Python file or a module builds are those of the workspace, as `spark` in a cell is."""

from __future__ import annotations


def test_a_session_that_a_file_builds_sees_the_workspace(run, workspace) -> None:
    (run.files / "nb/package.py").write_text(
        "from pyspark.sql import SparkSession\n"
        "def rows(name):\n"
        "    return SparkSession.getActiveSession().read.table(name).count()\n"
        "def session():\n"
        "    return SparkSession.builder.appName('mine').getOrCreate()\n"
    )
    outcome = run(
        """import package
from pyspark.dbutils import DBUtils
from pyspark.sql import SparkSession
active = SparkSession.getActiveSession()
session = package.session()
print(active is session, DBUtils(session).widgets.getAll())
session.range(2).write.saveAsTable("lab.s.t")
print(package.rows("lab.s.t"), session.newSession().table("lab.s.t").count())
from databricks.sdk.runtime import spark
print(spark.table("lab.s.t").count(), spark.sql("SELECT session_user()").first()[0])
package.rows("samples.nyctaxi.trips")
""",
        kind="python_file",
        identity=workspace.identity,
    )
    lines = [line for line in outcome.printed.splitlines() if not line.startswith("Spark")]
    assert lines == ["True {}", "2 2", "2 me@here"], outcome.events
    assert outcome.printed.count(": started in ") == 1
    assert outcome.error["line"] == 11
    assert outcome.error["evalue"].startswith("the local workspace has no Databricks sample data: ")
    assert not any("\tat " in part for part in outcome.error["traceback"])


def test_looking_for_a_session_as_a_library_does_starts_none(run) -> None:
    outcome = run(
        """
from mlflow.utils._spark_utils import _get_active_spark_session
print(_get_active_spark_session(), "pyspark.sql" in __import__("sys").modules)
"""
    )
    assert outcome.printed == "None True\n", outcome.events
