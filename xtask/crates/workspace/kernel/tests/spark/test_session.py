"""Notebooks that use Spark."""

from __future__ import annotations

import os


def processes_with(marker: str) -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                line = file.read().decode(errors="replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def test_a_session_starts_when_it_is_used_and_ends_with_the_notebook(run) -> None:
    outcome = run(
        """
import sys
handed = globals().get("spark")
print(handed, "pyspark.core.context" in sys.modules)
# COMMAND ----------
print(spark.range(5).count(), sc.defaultParallelism > 0, type(spark).__name__, isinstance(handed, type(spark)))
print(spark.conf.get("spark.sql.session.timeZone"), spark.sparkContext.master, handed.range(3).count())
# COMMAND ----------
from pyspark.sql import SparkSession
print(SparkSession.getActiveSession() is spark, SparkSession.builder.getOrCreate() is spark)
# COMMAND ----------
print(sqlContext.sql("SELECT 6 * 7 AS answer").first().answer)
"""
    )
    lines = [line for line in outcome.printed.splitlines() if not line.startswith("Spark")]
    assert lines == [
        "<a Spark session that starts when it is used> False",
        "5 True SparkSession True",
        "UTC local[*] 3",
        "True True",
        "42",
    ], outcome.error if outcome.all("error") else outcome.printed
    assert outcome.printed.count(" on local[*]: started in ") == 1
    assert not processes_with(str(outcome.folder))
    assert not (outcome.folder / "spark").exists()


def test_a_notebook_that_never_uses_it_starts_no_jvm(run) -> None:
    outcome = run("session = globals().get('spark')\nprint(session is not None)\n")
    assert outcome.printed == "True\n"


def test_volumes_and_tables_without_delta(run) -> None:
    (run.root / "spark/tables/dev/sales").mkdir(parents=True)
    outcome = run(
        f"folder = {str(run.root / 'spark/tables/dev')!r}"
        """
spark.conf.set("spark.sql.catalog.dev", "xtask.spark.LocalCatalog")
spark.conf.set("spark.sql.catalog.dev.folder", folder)
spark.conf.set("spark.sql.sources.default", "parquet")
spark.range(4).write.parquet("/Volumes/c/s/v/ids")
frame = spark.read.parquet("/Volumes/c/s/v/ids")
print(frame.count(), frame.selectExpr("_metadata.file_path").first()[0].startswith("file:/Volumes/c/s/v/ids/"))
frame.write.saveAsTable("dev.sales.ids")
frame.write.mode("append").saveAsTable("dev.sales.ids")
print(spark.table("dev.sales.ids").count(), spark.catalog.tableExists("dev.sales.ids"))
frame.limit(1).write.mode("overwrite").saveAsTable("dev.sales.ids")
spark.sql("INSERT INTO dev.sales.ids VALUES (7)")
print(spark.table("dev.sales.ids").count(), spark.catalog.tableExists("dev.sales.nothing"))
spark.sql("INSERT OVERWRITE dev.sales.ids SELECT id + 1 FROM range(2)")
print(sorted(row.id for row in spark.table("dev.sales.ids").collect()))
spark.sql("ALTER TABLE dev.sales.ids RENAME TO dev.sales.numbers")
print([row.tableName for row in spark.sql("SHOW TABLES IN dev.sales").collect()])
spark.sql("DROP TABLE dev.sales.numbers")
print(spark.sql("SHOW TABLES IN dev.sales").count(), [row[0] for row in spark.sql("SHOW SCHEMAS IN dev").collect()])
for text in ("CREATE TABLE dev.nowhere.t (a INT)", "CREATE TABLE dev.sales.t (a INT) PARTITIONED BY (a)",
             "CREATE TABLE dev.sales.t (a INT) USING delta"):
    try:
        spark.sql(text)
    except Exception as error:
        print(str(error).splitlines()[0])
"""
    )
    lines = [line for line in outcome.printed.splitlines() if not line.startswith("Spark")]
    assert lines[:7] == [
        "4 True", "8 True", "2 False", "[1, 2]", "['numbers']", "0 ['sales']",
        "[SCHEMA_NOT_FOUND] The schema `dev`.`nowhere` cannot be found. "
        "Verify the spelling and correctness of the schema and catalog.",
    ], outcome.error if outcome.all("error") else lines  # fmt: skip
    assert "partitioned tables are not kept" in lines[7]
    assert "as Parquet, not as delta" in lines[8]
    assert sorted(path.name for path in (run.volumes / "c/s/v").iterdir()) == ["ids"]
    assert not list((run.root / "spark/tables/dev/sales").iterdir())


def test_workers_import_what_the_notebook_imports(run) -> None:
    (run.files / "nb/helpers.py").write_text("def doubled(x):\n    return 2 * x\n")
    outcome = run(
        """
import helpers
print(sorted(spark.sparkContext.parallelize([1, 2, 3]).map(helpers.doubled).collect()))
"""
    )
    assert outcome.printed.endswith("[2, 4, 6]\n"), outcome.events[-3:]


def test_frames_are_shown_as_tables(run) -> None:
    outcome = run(
        """
frame = spark.range(1200).selectExpr("id", "CASE WHEN id > 0 THEN '<b>' END AS text")
display(frame)
frame.limit(2).display()
# COMMAND ----------
frame
# COMMAND ----------
display(1)
"""
    )
    first, second, bare, plain = [event["data"] for event in outcome.all("display")]
    assert first["text/html"].count("<tr>") == 1000
    assert "the first 1,000 rows" in first["text/html"]
    assert "&lt;b&gt;" in first["text/html"]
    assert "<b>" not in first["text/html"]
    assert second["text/plain"].endswith("[2 rows]")
    assert "DataFrame[id: bigint, text: string]" in bare["text/plain"]
    assert "<table" not in bare.get("text/html", "")
    assert plain["text/plain"] == "1"


def test_sql_cells(run) -> None:
    outcome = run(
        """dbutils.widgets.text("least", "2")
dbutils.widgets.text("column", "id")
# COMMAND ----------
# MAGIC %sql
# MAGIC -- a comment; with a semicolon
# MAGIC CREATE TEMPORARY VIEW numbers AS SELECT id, 'a;b:c' AS text FROM range(5);
# MAGIC SELECT ${column}, text::string AS t FROM numbers WHERE id > :least ORDER BY id;
# COMMAND ----------
print([tuple(row) for row in _sqldf.collect()])
# COMMAND ----------
# MAGIC %sql
# MAGIC SELECT * FROM nowhere
"""
    )
    assert outcome.printed.endswith("[(3, 'a;b:c'), (4, 'a;b:c')]\n"), outcome.events
    assert "<td>3</td>" in outcome.all("display")[0]["data"]["text/html"]
    assert "`nowhere` cannot be found" in outcome.error["evalue"]
    assert len(outcome.error["evalue"]) < 2000


def test_a_python_file_gets_the_session_from_the_runtime(run) -> None:
    outcome = run("from databricks.sdk.runtime import spark\nprint(spark.range(3).count())\n", kind="python_file")
    assert outcome.printed.endswith("3\n"), outcome.events
    assert outcome.code == 0


def test_java_that_is_not_there_is_named(run, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    outcome = run("spark.range(3)\n")
    assert outcome.error["ename"] == "NoSpark"
    assert "install Java 17" in outcome.error["evalue"]
