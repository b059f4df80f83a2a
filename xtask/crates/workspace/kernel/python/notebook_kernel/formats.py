"""Reading a notebook, whichever format its file has."""

from __future__ import annotations

from notebook_kernel import ipynb, source


def read(text: str, path: str) -> source.Notebook:
    """A notebook's cells and environment. Raises `NotAPythonNotebook` for other files, and says why."""
    if ipynb.is_jupyter(text):
        return ipynb.parse(text, path)
    return source.parse(text, path)
