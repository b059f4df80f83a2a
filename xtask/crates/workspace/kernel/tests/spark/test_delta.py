"""Tables are Delta tables, as on Databricks."""

from __future__ import annotations

SETUP = """
def said(text):
    return [tuple(row) for row in spark.sql(text).collect()]
"""


def test_tables_are_delta_tables(run, workspace) -> None:
    outcome = run(
        SETUP
        + """
spark.range(4).selectExpr("id", "'new' AS state").write.saveAsTable("lab.s.t")
spark.sql("INSERT INTO lab.s.t VALUES (9, 'new')")
spark.sql("UPDATE lab.s.t SET state = 'seen' WHERE id > 1")
spark.sql("DELETE FROM lab.s.t WHERE id = 9")
spark.sql(
    "MERGE INTO lab.s.t USING (SELECT id, 'merged' AS state FROM range(3, 5)) AS s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
)
print(said("SELECT id, state FROM lab.s.t ORDER BY id"))
first = spark.read.option("versionAsOf", 0).table("lab.s.t")
print(said("SELECT count(*) FROM lab.s.t VERSION AS OF 1"), first.count())
other = spark.range(1).selectExpr("id", "id AS n")
other.write.mode("overwrite").option("overwriteSchema", "true").saveAsTable("lab.s.t")
history = spark.sql("DESCRIBE HISTORY lab.s.t").orderBy("version").collect()
print([row.operation for row in history])
print([row.name for row in spark.sql("DESCRIBE DETAIL lab.s.t").collect()], spark.table("lab.s.t").columns)
# COMMAND ----------
from delta.tables import DeltaTable
spark.sql("USE CATALOG lab")
spark.sql("USE SCHEMA s")
DeltaTable.createIfNotExists(spark).tableName("lab.s.made").addColumn("id", "BIGINT").execute()
(DeltaTable.forName(spark, "made").alias("t").merge(spark.range(3).alias("s"), "t.id = s.id")
    .whenNotMatchedInsertAll().execute())
DeltaTable.forName(spark, "s.made").delete("id = 0")
made = DeltaTable.forName(spark, "lab.s.made")
print(sorted(row.id for row in made.toDF().collect()), made.history().count(), made.detail().count())
# COMMAND ----------
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as threads:
    list(threads.map(lambda _: spark.range(2).write.mode("append").saveAsTable("lab.s.made"), range(3)))
print(spark.table("made").count())
spark.sql("ALTER TABLE made RENAME TO moved")
spark.sql("CREATE TABLE `old` (id BIGINT) USING parquet")
print([row.tableName for row in spark.sql("SHOW TABLES").collect()])
spark.sql("INSERT INTO `old` VALUES (1)")
spark.range(3).write.mode("append").saveAsTable("`old`")
print(spark.table("`old`").count(), said("DESCRIBE EXTENDED `old`")[0])
spark.range(5).write.mode("overwrite").saveAsTable("`old`")
print(spark.table("`old`").count(), spark.sql("DESCRIBE HISTORY `old`").count())
spark.sql("DROP TABLE moved")
spark.sql("CREATE TABLE moved (other STRING, part INT) PARTITIONED BY (part)")
print(spark.table("moved").columns, spark.table("moved").count())
# COMMAND ----------
spark.range(3).write.save("/Volumes/c/s/v/delta")
print(spark.read.load("dbfs:/Volumes/c/s/v/delta").count(), said("SELECT count(*) FROM delta.`/Volumes/c/s/v/delta`"))
query = (spark.readStream.table("lab.s.t").writeStream.trigger(availableNow=True)
    .option("checkpointLocation", "/Volumes/c/s/v/checkpoint").toTable("lab.s.copy"))
query.awaitTermination()
print(said("SELECT * FROM lab.s.copy"))
# COMMAND ----------
spark.sql("CREATE TABLE nowhere.t (a INT)")
""",
        identity=workspace.identity,
    )
    lines = [line for line in outcome.printed.splitlines() if not line.startswith("Spark")]
    assert lines == [
        "[(0, 'new'), (1, 'new'), (2, 'seen'), (3, 'merged'), (4, 'merged')]",
        "[(5,)] 4",
        "['CREATE TABLE AS SELECT', 'WRITE', 'UPDATE', 'DELETE', 'MERGE', 'CREATE OR REPLACE TABLE AS SELECT']",
        "['lab.s.t'] ['id', 'n']",
        "[1, 2] 3 1",
        "8",
        "['moved', 'old', 't']",
        "4 ('id', 'bigint', None)",
        "5 1",
        "['other', 'part'] 0",
        "3 [(3,)]",
        "[(0, 0)]",
    ], outcome.all("error") or lines
    assert "`nowhere` cannot be found" in outcome.error["evalue"]
    assert (run.volumes / "c/s/v/delta/_delta_log/00000000000000000000.json").exists()
    assert (run.volumes / "c/s/v/checkpoint").is_dir()
    assert not list((run.root / "spark/tables/lab/s/t/_delta_log").glob(".*.tmp"))
