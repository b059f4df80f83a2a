"""The workspace's catalogs and schemas in a session: `catalog.schema.table` is a folder of the local workspace."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

CLASS = "xtask.spark.LocalCatalog"
TIMEOUT_SECONDS = 10


class Catalogs:
    """Asks the workspace which catalogs and schemas there are, and makes them known to Spark."""

    def __init__(self, host: str, folder: Path) -> None:
        self._host = host
        self._folder = folder
        self._known: set[str] = set()

    def refresh(self, session: Any) -> None:
        """Adds what has come since the last time. A workspace that does not answer has none."""
        try:
            names = [found["name"] for found in self._get("catalogs", {}).get("catalogs", [])]
            schemas = {name: self._get("schemas", {"catalog_name": name}).get("schemas", []) for name in names}
        except OSError:
            return
        for name, found in schemas.items():
            folder = self._folder / name
            for schema in found:
                (folder / schema["name"].lower()).mkdir(mode=0o700, parents=True, exist_ok=True)
            if name not in self._known:
                session.conf.set(f"spark.sql.catalog.{name}", CLASS)
                session.conf.set(f"spark.sql.catalog.{name}.folder", str(folder))
                self._known.add(name)

    def _get(self, what: str, query: dict[str, str]) -> dict[str, Any]:
        address = f"{self._host}/api/2.1/unity-catalog/{what}?{urlencode({'max_results': 0, **query})}"
        token = os.environ.get("DATABRICKS_TOKEN", "")
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        # Loopback, whatever proxy the environment names.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT_SECONDS) as reply:
            return json.load(reply)
