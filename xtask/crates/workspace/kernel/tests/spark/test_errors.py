"""What an error of Spark comes down to."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebook_kernel.spark.databricks_sql import DatabricksSql, UnsupportedStatement
from notebook_kernel.spark.errors import sentence, shortened


class OfPyspark(Exception):
    __module__ = "pyspark.errors"


JAVA = "\n\tat a.b.C.d(C.scala:1)"
CALL = "An error occurred while calling o46.count.\n: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "\n[PARSE_SYNTAX_ERROR] Near 'x'. (line 1, pos 3)\n\n== SQL ==\nx\n^^^\n",
            "[PARSE_SYNTAX_ERROR] Near 'x'. (line 1, pos 3)",
        ),
        (f"[X] It is so.\nMore.\n\nJVM stacktrace:\norg.X: it{JAVA}\nCaused by: y.Z: deep{JAVA}", "[X] It is so."),
        (
            '\n  See below.\nTraceback (most recent call last):\n  File "x", line 1\nValueError: bad\n',
            "ValueError: bad",
        ),
        (
            f"{CALL}org.SparkException: lost{JAVA}\nCaused by: java.lang.X: by zero{JAVA}\n\t... 5 more\n",
            "java.lang.X: by zero",
        ),
        (f"{CALL}java.lang.RuntimeException{JAVA}\n", "java.lang.RuntimeException"),
    ],
)
def test_one_sentence_and_no_stack(text: str, said: str) -> None:
    error = OfPyspark(text)
    assert sentence(error) == said
    (shown,) = shortened(error, [f"OfPyspark: {text}"])
    assert said in shown
    assert "\tat " not in shown


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OfPyspark(f'{CALL}org.X: No FileSystem for scheme "s3"{JAVA}'), "no file system for s3:// paths"),
        (OfPyspark("[PATH_NOT_FOUND] Path does not exist: dbfs:/databricks-datasets/x."), "no Databricks sample data"),
        (FileNotFoundError(2, "No such file or directory", "/dbfs/databricks-datasets/x"), "no Databricks sample data"),
        (
            OfPyspark(f"{CALL}org.X: delta.DefaultSource{JAVA}"),
            "has no Delta: it is not fetched: run `cargo xtask setup`",
        ),
        (OfPyspark("lab.s.t: the local workspace keeps tables as Parquet, not as delta"), "has no Delta: it is not"),
        (
            OfPyspark("[CATALOG_NOT_FOUND] The catalog `foo` not found."),
            "no catalog foo: create it with CREATE CATALOG",
        ),
        (ValueError("databricks-datasets\nis mine"), "databricks-datasets\nis mine"),
    ],
)
def test_what_is_missing_is_named(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XTASK_SPARK_JARS", raising=False)
    assert said in sentence(error)


@pytest.mark.parametrize(
    "text",
    ["VACUUM c.s.t", "DESCRIBE HISTORY c.s.t", "SELECT * FROM c.s.t VERSION AS OF 1", "MERGE INTO c.s.t USING u ON x"],
)
def test_statements_of_delta_say_which_spark_has_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "delta-spark_3.1_2.12-1.0.0.jar").touch()
    monkeypatch.setenv("XTASK_SPARK_JARS", str(tmp_path))
    sql = DatabricksSql("http://127.0.0.1:1", lambda: None)
    with pytest.raises(
        UnsupportedStatement, match=r"Delta is not available: it fits Spark 3\.1, and this .* install pyspark 3"
    ):
        sql.run(lambda *_: None, None, text, None)
