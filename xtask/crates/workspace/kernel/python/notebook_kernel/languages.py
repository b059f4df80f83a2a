"""Cells in languages that the local workspace does not run."""

from __future__ import annotations


class UnsupportedMagic(RuntimeError):
    """The cell is in a language that the local workspace does not run."""

    def __init__(self, magic: str) -> None:
        language = {"scala": "Scala", "r": "R"}.get(magic, magic)
        super().__init__(
            f"%{magic}: the local workspace runs no {language} cells, only Python and, where Spark is, SQL. "
            f"Write this cell in Python, or run the notebook on Databricks"
        )
