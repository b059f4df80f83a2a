"""`%sql` cells."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

from notebook_kernel.spark import frames

# As Spark 4.3 and 4.2 call it.
SPLITTERS = ("splitSemiColon", "splitSemiColonWithIndex")
OLD_PARAMETER = re.compile(r"\$\{(\w+)\}")


def run(session: Any, text: str, parameter: Callable[[str], str]) -> Any:
    """Runs the statements of a cell one after another, shows what the last one gives, and gives it back.

    `:name` is a parameter, whose value is the widget's; so is the older `${name}`, which is put in as it stands.
    """
    text = OLD_PARAMETER.sub(lambda match: parameter(match.group(1)), text)
    result = None
    for statement in _statements(session, text):
        names = set(re.findall(r"(?<![:\w]):([A-Za-z_]\w*)", without_quoted(statement)))
        result = session.sql(statement, args={name: parameter(name) for name in sorted(names)})
    if result is not None and result.columns:
        frames.show(result)
    return result


def _statements(session: Any, text: str) -> list[str]:
    """Cut at semicolons by Spark's own rules; a remote session is handed the text as it is."""
    found = [text.strip().rstrip(";")]
    for name in SPLITTERS:
        with contextlib.suppress(Exception):
            parts = getattr(session._jvm.org.apache.spark.sql.catalyst.util.StringUtils, name)(text, False)
            found = [parts.apply(index) for index in range(parts.size())]
            break
    return [part for part in found if without_comments(part).strip()]


def without_quoted(text: str) -> str:
    """A statement in which each quoted text and name is empty."""
    return re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", "''", without_comments(text))


def without_comments(text: str) -> str:
    """A statement with a space in place of each comment."""
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
