"""What a failing cell tells: the line in the notebook, and a hint where the cause is this place."""

from __future__ import annotations

import importlib.util

from notebook_kernel.spark import errors
from notebook_kernel.spark.cells import HOW_TO_GET_IT

NO_SPARK = "name {name!r} is not defined: {how}"
NO_DBUTILS = (
    "name 'dbutils' is not defined: a Python file must import it, as on Databricks: "
    "from databricks.sdk.runtime import dbutils"
)
NO_FILE = (
    "name '__file__' is not defined: Python files have none on Databricks and in the local "
    "workspace; the path is in sys.argv[0]"
)
ASKED_TO_END = "the process was asked to end (SIGTERM): by a cancel, a timeout, or another program"
VIRTUAL_PATH = (
    "Readers outside Python cannot open /Volumes and /Workspace in the local workspace: "
    "pass an opened file, open(path, 'rb'), instead; this works on Databricks, too."
)


def explain(error: BaseException) -> None:
    """Puts into the error what its reader cannot know."""
    if isinstance(error, NameError) and error.name in {"spark", "sc", "sqlContext"}:
        if importlib.util.find_spec("pyspark") is None:
            error.args = (NO_SPARK.format(name=error.name, how=HOW_TO_GET_IT),)
    elif isinstance(error, ModuleNotFoundError) and error.name in {"pyspark", "pyspark.sql"}:
        error.args = (f"{error}: {HOW_TO_GET_IT}",)
    elif isinstance(error, NameError) and error.name in {"dbutils", "__file__"}:
        error.args = (NO_DBUTILS if error.name == "dbutils" else NO_FILE,)
    elif isinstance(error, OSError) and not _names_file(error) and _speaks_of_a_root(error):
        error.add_note(VIRTUAL_PATH)


def _names_file(error: OSError) -> bool:
    """Python's own file functions say which file; readers below it only write it in the text."""
    return error.filename is not None


def _speaks_of_a_root(error: OSError) -> bool:
    return any(root in str(error) for root in ("/Volumes/", "/Workspace/"))


def line_of(error: BaseException, notebook: str) -> int | None:
    """The innermost line of the notebook that the error passed through."""
    if isinstance(error, SyntaxError) and error.filename == notebook:
        return error.lineno
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == notebook:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def message(error: BaseException) -> str:
    """What an error says, in one sentence where Spark says it in hundreds of lines."""
    return errors.sentence(error)


def trace(error: BaseException, lines: list[str]) -> list[str]:
    """The error's traceback, without the JVM's."""
    return errors.shortened(error, lines)
