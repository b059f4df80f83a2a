"""What Spark's errors come down to: one sentence, and a traceback without the JVM's five hundred lines."""

from __future__ import annotations

import re

from notebook_kernel.spark import delta

NO_SAMPLES = (
    "the local workspace has no Databricks sample data: write a few rows to a Parquet file, copy it into a volume "
    "with dbutils.fs.cp (or a table with saveAsTable), and read that"
)
UNKNOWN_CATALOG = (
    "the local workspace has no catalog {0}: create it with CREATE CATALOG, or list catalogs with SHOW CATALOGS"
)
NO_DELTA = "the local workspace's Spark has no Delta: {delta}"
NO_FILE_SYSTEM = (
    "Spark in the local workspace has no file system for {0}:// paths: use /Volumes, /Workspace, dbfs:/ or a local path"
)
KNOWN = (
    (r"databricks-datasets", NO_SAMPLES),
    (r"REQUIRES_SINGLE_PART_NAMESPACE\].*?identifier `(?:samples)`", NO_SAMPLES),
    (r"handle the identifier `?samples\b|CATALOG_NOT_FOUND\].*?`?samples\b", NO_SAMPLES),
    (r"REQUIRES_SINGLE_PART_NAMESPACE\].*?identifier `([^`]+)`", UNKNOWN_CATALOG),
    (r"handle the identifier `?([\w-]+)", UNKNOWN_CATALOG),
    (r"CATALOG_NOT_FOUND\] The catalog `?([\w-]+)", UNKNOWN_CATALOG),
    (r"delta\.DefaultSource|data source:? `?delta\b|Parquet, not as delta", NO_DELTA),
    (r'No FileSystem for scheme "?(\w+)', NO_FILE_SYSTEM),
)
CAUSE = re.compile(r"^(?:Caused by)?: (.+)$", re.MULTILINE)
MOST_CAUSES = 8


def sentence(error: BaseException) -> str:
    """What the error says, on one line where it comes from Spark."""
    text = str(error)
    if not (_is_of_spark(error) or isinstance(error, OSError)):
        return text
    for pattern, said in KNOWN:
        if found := re.search(pattern, text, re.DOTALL):
            return said.format(*found.groups(), **({"delta": delta.why_not()} if said is NO_DELTA else {}))
    if not _is_of_spark(error):
        return text
    if causes := _causes(text):
        return causes[-1]
    lines = [line.strip() for line in _without_java(text).splitlines() if line.strip()]
    if any("Traceback (most recent call last)" in line for line in lines):
        # A Python worker's: its last line says what it was.
        return lines[-1]
    return lines[0] if lines else type(error).__name__


def shortened(error: BaseException, traceback: list[str]) -> list[str]:
    """A traceback in which the JVM's stands as its causes alone."""
    whole = str(error)
    if not whole or not _is_of_spark(error):
        return traceback
    causes = _causes(whole)
    said = [sentence(error), *causes[-MOST_CAUSES:]] if causes else [_without_java(whole)]
    short = "\nCaused by: ".join(dict.fromkeys(said))
    return [part.replace(whole, short) for part in traceback]


def _causes(text: str) -> list[str]:
    """What Java says in an error that pyspark passes on as it is; those that it knows begin with what they say."""
    return CAUSE.findall(text) if text.startswith("An error occurred while calling") else []


def _is_of_spark(error: BaseException) -> bool:
    return any(kind.__module__.startswith(("pyspark.", "py4j.")) for kind in type(error).__mro__)


def _without_java(text: str) -> str:
    return re.split(r"\n+JVM stacktrace:|\n\s+at [\w.$]+\(", text, maxsplit=1)[0].strip()
