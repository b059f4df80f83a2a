"""A session that does what most sessions do, so that the JVM loads the classes they need; then it ends in order."""

import sys

from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf


def main(folder: str) -> None:
    """Works below `folder`."""
    session = SparkSession.builder.getOrCreate()
    doubled = pandas_udf(lambda values: values * 2, "double")
    frame = session.range(10).selectExpr("id", "CAST(id AS double) AS value", "CAST(id AS string) AS text")
    frame.select("id", "text", doubled("value").alias("value")).write.parquet(f"{folder}/rows")
    rows = session.read.parquet(f"{folder}/rows")
    rows.groupBy("text").count().orderBy("text").toPandas()
    rows.createOrReplaceTempView("rows")
    session.sql("SELECT count(*) FROM rows WHERE value > 3 AND text IS NOT NULL").collect()
    if session.conf.get("spark.sql.extensions", None):  # Delta is there
        rows.write.format("delta").save(f"{folder}/table")
        session.sql(f"UPDATE delta.`{folder}/table` SET value = 7 WHERE id = 3")
        session.read.format("delta").load(f"{folder}/table").count()
    process = SparkContext._gateway.proc
    session.stop()
    SparkContext._gateway.shutdown()
    process.stdin.close()
    process.wait()


if __name__ == "__main__":
    main(sys.argv[1])
