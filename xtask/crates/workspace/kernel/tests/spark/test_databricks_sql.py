"""What Databricks has and open-source Spark lacks: done through the workspace, or said in a sentence."""

from __future__ import annotations

SETUP = """
def said(text, **options):
    try:
        return [tuple(row) for row in spark.sql(text, **options).collect()]
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
"""


def test_databricks_own_words(run, workspace) -> None:
    outcome = run(
        SETUP
        + """
spark.sql("USE CATALOG lab")
spark.sql("USE SCHEMA s")
spark.range(3).write.saveAsTable("t")
print(spark.table("lab.s.t").count(), said("SELECT current_catalog(), current_schema(), current_user()"))
print(said("use catalog IDENTIFIER(:where) -- by a parameter", args={"where": "lab"}), spark.catalog.currentDatabase())
print(said("CREATE CATALOG IF NOT EXISTS more COMMENT 'a;b'"), said("SHOW CATALOGS"))
print(said("CREATE SCHEMA more.`made-here`"), said("CREATE SCHEMA IF NOT EXISTS more.`made-here`"))
print(said("CREATE VOLUME IF NOT EXISTS more.`made-here`.files"), said("SHOW VOLUMES IN more.`made-here`"))
print(said("GRANT USE SCHEMA, SELECT ON SCHEMA lab.s TO `account users`"))
print(said("REVOKE ALL PRIVILEGES ON CATALOG lab FROM `me@here`"))
print(said("CREATE WIDGET TEXT color DEFAULT 'red'"), dbutils.widgets.get("color"))
print(said("DROP SCHEMA lab.s").partition(" ")[0], spark.table("lab.s.t").count())
print(said("DROP VOLUME more.`made-here`.files"), said("DROP SCHEMA more.`made-here` CASCADE"))
# COMMAND ----------
for text in ("GRANT SELECT ON TABLE lab.s.t TO `x`", "FSCK REPAIR TABLE lab.s.t", "UNDROP TABLE lab.s.t",
             "COPY INTO lab.s.t FROM '/Volumes/c/s/v/a' FILEFORMAT = PARQUET", "SELECT * FROM lab.s.t@v0",
             "CREATE TABLE lab.s.u (a INT) CLUSTER BY AUTO", "ALTER TABLE lab.s.t SET TAGS ('a' = 'b')",
             "CREATE TABLE lab.s.u DEEP CLONE lab.s.t", "USE CATALOG nowhere", "CREATE EXTERNAL LOCATION x URL 's3://y'"):
    print(said(text))
print(said("SELECT 'VACUUM', 'x VERSION AS OF 1' AS optimize"))
# COMMAND ----------
conf = spark.conf.get
print(conf("spark.databricks.workspaceUrl"), conf("spark.databricks.job.id"), conf("spark.databricks.job.runId"))
import json
tags = json.loads(conf("spark.databricks.clusterUsageTags.clusterAllTags"))
print({tag["key"]: tag["value"] for tag in tags}["RunName"], conf("spark.databricks.clusterUsageTags.clusterId"))
# COMMAND ----------
spark.range(4).write.csv("dbfs:/Volumes/c/s/v/numbers")
spark.range(5).write.mode("overwrite").parquet("dbfs:/tmp/ids")
print(spark.read.csv("/Volumes/c/s/v/numbers").count(), spark.read.parquet("dbfs:/tmp/ids").count())
# COMMAND ----------
spark.range(3).write.format("nothing").save("/Volumes/c/s/v/nothing")
""",
        identity=workspace.identity,
    )
    lines = [line for line in outcome.printed.splitlines() if not line.startswith("Spark")]
    host = workspace.identity["host"].removeprefix("http://")
    assert lines[:11] == [
        "3 [('lab', 's', 'me@here')]",
        "[] default",
        "[] [('lab',), ('more',), ('spark_catalog',)]",
        "[] []",
        "[] [('made-here', 'files')]",
        "[]",
        "[]",
        "[] red",
        "AnalysisException: 3",
        "[] []",
        "UnsupportedStatement: GRANT: not in the local workspace: "
        "grants are kept on catalogs, schemas, volumes and models, not on tables",
    ], outcome.events[-3:]
    refused = ["FSCK", "UNDROP", "COPY INTO", "lab.s.t@v0", "CREATE TABLE", "ALTER TABLE", "CREATE TABLE"]
    for line, words in zip(lines[11:18], refused, strict=True):
        assert line.startswith(f"UnsupportedStatement: {words}"), line
        assert "not in the local workspace: " in line
    assert lines[18].startswith("RestError: the local workspace has no catalog nowhere: create it with CREATE CATALOG")
    assert lines[19].startswith("UnsupportedStatement: CREATE EXTERNAL LOCATION: ")
    assert lines[20:] == [
        "[('VACUUM', 'x VERSION AS OF 1')]",
        f"{host} 11 22",
        "job local-workspace",
        "4 5",
    ]
    assert workspace.held["catalogs"]["more"] == {"name": "more", "comment": "a;b"}
    assert list(workspace.held["schemas"]) == ["lab.s"]
    assert workspace.held["volumes"] == {}
    assert workspace.grants == [
        ("permissions/schema/lab.s", [{"principal": "account users", "add": ["USE_SCHEMA", "SELECT"]}]),
        ("permissions/catalog/lab", [{"principal": "me@here", "remove": ["ALL_PRIVILEGES"]}]),
    ]
    assert (run.dbfs / "tmp/ids/_SUCCESS").exists()
    assert "nothing" in outcome.error["evalue"]
    assert len("\n".join(outcome.error["traceback"]).splitlines()) < 150
    assert not any("\tat " in part for part in outcome.error["traceback"])
