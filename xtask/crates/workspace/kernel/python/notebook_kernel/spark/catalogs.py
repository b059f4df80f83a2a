"""The workspace's catalogs and schemas in a session: `catalog.schema.table` is a folder of the local workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from notebook_kernel import rest
from notebook_kernel.spark import delta

CLASS = "xtask.spark.LocalCatalog"
CLASS_WITH_DELTA = "xtask.spark.DeltaTables"


class Catalogs:
    """Asks the workspace which catalogs and schemas there are, and makes them known to Spark."""

    def __init__(self, host: str, folder: Path) -> None:
        self._host = host
        self._folder = folder

    def refresh(self, sessions: list[Any]) -> None:
        """Adds what has come since the last time. A workspace that does not answer has none."""
        try:
            names = [found["name"] for found in self._get("catalogs", {}).get("catalogs", [])]
            schemas = {name: self._get("schemas", {"catalog_name": name}).get("schemas", []) for name in names}
        except (OSError, rest.RestError):
            return
        for name, found in schemas.items():
            folder = self._folder / name
            for schema in found:
                (folder / schema["name"].lower()).mkdir(mode=0o700, parents=True, exist_ok=True)
            for session in sessions:
                _add(session, name, folder)

    def _get(self, what: str, query: dict[str, str]) -> dict[str, Any]:
        return rest.call("GET", f"{self._host}/api/2.1/unity-catalog/{what}", {"max_results": 0, **query})


def _add(session: Any, name: str, folder: Path) -> None:
    """Makes one catalog known to a session: each has settings of its own."""
    if not is_known(session, name):
        session.conf.set(f"spark.sql.catalog.{name}", CLASS_WITH_DELTA if delta.jars() else CLASS)
        session.conf.set(f"spark.sql.catalog.{name}.folder", str(folder))
        # SHOW CATALOGS lists those that are loaded.
        session._jsparkSession.sessionState().catalogManager().catalog(name)


def is_known(session: Any, name: str) -> bool:
    """Whether the session has a catalog of that name, the workspace's or the notebook's own."""
    return session.conf.get(f"spark.sql.catalog.{name}", None) is not None
