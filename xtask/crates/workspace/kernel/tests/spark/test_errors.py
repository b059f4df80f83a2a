"""What an error of Spark comes down to."""

from __future__ import annotations

import pytest
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
        (OfPyspark("[PATH_NOT_FOUND] Path does not exist: dbfs:/databricks-datasets/x."), "sample data is not"),
        (FileNotFoundError(2, "No such file or directory", "/dbfs/databricks-datasets/x"), "sample data is not"),
        (OfPyspark("[CATALOG_NOT_FOUND] The catalog `foo` not found."), "no catalog foo: CREATE CATALOG"),
        (ValueError("databricks-datasets\nis mine"), "databricks-datasets\nis mine"),
    ],
)
def test_what_is_missing_is_named(error: Exception, said: str) -> None:
    assert said in sentence(error)
