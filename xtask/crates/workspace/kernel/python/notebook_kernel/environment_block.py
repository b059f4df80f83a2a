"""What a notebook says about its environment: the block or the metadata that Databricks' editor writes."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

# PEP 723: comments between these lines are TOML.
BEGIN = "# /// script"
END = "# ///"
COMMENT = re.compile(r"#(?: .*)?")


@dataclass(frozen=True)
class Environment:
    """Packages that a notebook asks for, and what is to be said about its environment."""

    dependencies: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


NO_ENVIRONMENT = Environment()


def take_block(lines: list[str]) -> tuple[Environment | None, list[str]]:
    """The environment of the block at the top of a notebook's first cell, and the cell's lines without the block.

    Blank lines take its place, so that those below keep their numbers. Without a block there is no environment.
    """
    start = next((number for number, line in enumerate(lines) if line.rstrip() == BEGIN), len(lines))
    if any(line.strip() and not line.startswith("#") for line in lines[:start]):
        return None, lines
    for end in range(start + 1, len(lines)):
        line = lines[end].rstrip()
        if line == END:
            content = [text.removeprefix("#").removeprefix(" ") for text in lines[start + 1 : end]]
            blank = [""] * (end + 1 - start)
            return _of_toml("\n".join(content)), [*lines[:start], *blank, *lines[end + 1 :]]
        if not COMMENT.fullmatch(line):
            break
    return None, lines


def of_metadata(notebook: dict[str, Any]) -> Environment | None:
    """The environment that the metadata of a Jupyter notebook has from Databricks."""
    found = notebook.get("environmentMetadata")
    return _of_fields(found) if isinstance(found, dict) else None


def _of_toml(text: str) -> Environment:
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Environment(
            remarks=(f"The notebook's environment is not read: its `{BEGIN}` block is no TOML: {error}",)
        )
    found = fields
    for name in ("tool", "databricks", "environment"):
        found = found.get(name) if isinstance(found, dict) else None
    environment = _of_fields(found) if isinstance(found, dict) else NO_ENVIRONMENT
    plain = _texts(fields.get("dependencies"))
    if not plain:
        return environment
    remark = (
        f"Not installed: {', '.join(plain)}. Databricks reads the dependencies below [tool.databricks.environment] only"
    )
    return Environment(environment.dependencies, (*environment.remarks, remark))


def _of_fields(fields: dict[str, Any]) -> Environment:
    base = fields.get("base_environment")
    remarks = ()
    if isinstance(base, str) and base:
        remarks = (f"Not installed: the base environment {base}. The notebook runs in the project's environment",)
    return Environment(tuple(_texts(fields.get("dependencies"))), remarks)


def _texts(value: Any) -> list[str]:
    return [text.strip() for text in value if isinstance(text, str)] if isinstance(value, list) else []
