"""The parts of Databricks' runtime package that stock MLflow and the SDK ask for."""

from __future__ import annotations

from typing import Any


class UserNamespaceInitializer:
    """What `from databricks.sdk.runtime import dbutils` looks into, in a notebook and in a plain module."""

    _instance: UserNamespaceInitializer | None = None

    def __init__(self) -> None:
        self._globals: dict[str, Any] = {}

    @classmethod
    def getOrCreate(cls) -> UserNamespaceInitializer:
        """The one of this process."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def fill(self, values: dict[str, Any]) -> None:
        """Called once, by the kernel."""
        self._globals.update(values)

    def get_namespace_globals(self) -> dict[str, Any]:
        """The names of a notebook. Raises `ImportError` before there are any."""
        if not self._globals:
            raise ImportError("no notebook is running in this process")
        return self._globals
