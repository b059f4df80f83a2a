"""A notebook's cells, whichever format its file has."""

from __future__ import annotations

from notebook_kernel import ipynb, source


def cells_of(text: str, path: str) -> list[source.Cell]:
    """The cells of a notebook. Raises `NotAPythonNotebook` for other files, and says why."""
    if ipynb.is_jupyter(text):
        return ipynb.parse(text, path)
    return source.parse(text, path)
