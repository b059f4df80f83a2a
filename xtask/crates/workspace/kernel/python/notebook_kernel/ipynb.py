"""Reading a notebook in Jupyter's format (`.ipynb`)."""

from __future__ import annotations

import json
from typing import Any

from notebook_kernel.environment_block import NO_ENVIRONMENT, of_metadata, take_block
from notebook_kernel.source import Cell, NotAPythonNotebook, Notebook, magic_of
from notebook_kernel.words import lines as lines_of

# Where Databricks keeps what Jupyter has no place for.
DATABRICKS_CELL = "application/vnd.databricks.v1+cell"
DATABRICKS_NOTEBOOK = "application/vnd.databricks.v1+notebook"


def is_jupyter(text: str) -> bool:
    """Whether a notebook's text is JSON; a notebook in source format begins with a comment."""
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def parse(text: str, path: str) -> Notebook:
    """A notebook's cells and its environment. Each cell counts its lines for itself, as Jupyter shows them.

    Cells without any text are dropped, as in source format.
    """
    notebook = _load(text)
    metadata = notebook.get("metadata") or {}
    environment = of_metadata(metadata.get(DATABRICKS_NOTEBOOK) or {})
    cells: list[Cell] = []
    for number, given in enumerate(notebook["cells"]):
        lines = lines_of(_source(given))
        if number == 0:
            # Where a notebook in source format became one of Jupyter's by other means than Databricks' own.
            block, lines = take_block(lines)
            environment = environment or block
        text = "\n".join(lines)
        source = text.strip("\n")
        if not source.strip():
            continue
        line = 1 + len(text) - len(text.lstrip("\n"))
        name = f"{path}, cell {len(cells) + 1}"
        cells.append(Cell(len(cells), line, _title(given), source, magic_of(source), name, text))
    return Notebook(cells, environment or NO_ENVIRONMENT)


def _load(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text.lstrip("\ufeff"))
    except ValueError as error:
        raise NotAPythonNotebook(f"not a valid Jupyter notebook: {error}") from None
    if not isinstance(notebook.get("cells"), list):
        raise NotAPythonNotebook(
            "the notebook has no cells, or its format is older than nbformat 4: open and save it with Jupyter"
        )
    language = _language(notebook.get("metadata") or {})
    if language != "python":
        raise NotAPythonNotebook(f"the notebook is in {language}; the local workspace runs Python notebooks")
    return notebook


def _language(metadata: dict[str, Any]) -> str:
    for section, field in (("kernelspec", "language"), ("language_info", "name")):
        value = (metadata.get(section) or {}).get(field)
        if isinstance(value, str) and value:
            return value.lower()
    return "python"


def _source(cell: dict[str, Any]) -> str:
    lines = cell.get("source", "")
    text = lines if isinstance(lines, str) else "".join(lines)
    kind = cell.get("cell_type")
    if kind == "markdown":
        # As Databricks has it: text is a cell with a magic of its own.
        return f"%md\n{text}" if text.strip() else ""
    return text if kind == "code" else ""


def _title(cell: dict[str, Any]) -> str | None:
    title = ((cell.get("metadata") or {}).get(DATABRICKS_CELL) or {}).get("title")
    return title if isinstance(title, str) and title else None
