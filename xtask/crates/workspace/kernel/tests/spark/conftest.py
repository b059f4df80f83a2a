"""These need pyspark and Java: `cargo xtask ci --only spark-notebooks` runs them in an environment that has both."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest


@pytest.fixture(autouse=True)
def _needs_spark() -> None:
    pytest.importorskip("pyspark", reason="needs pyspark: `cargo xtask ci --only spark-notebooks`")
    if shutil.which("java") is None:
        pytest.skip("needs Java 17")


class Workspace(BaseHTTPRequestHandler):
    """Unity Catalog's REST API, as far as a session asks it; what it holds is by kind and full name."""

    held: ClassVar[dict[str, dict[str, Any]]] = {}
    grants: ClassVar[list[tuple[str, Any]]] = []

    def do_GET(self) -> None:
        kind, name, query = self._asked()
        if name:
            self._answer(self.held[kind].get(name))
        else:
            wanted = ".".join(query[key][0] for key in ("catalog_name", "schema_name") if key in query)
            found = [
                value for full, value in self.held[kind].items() if not wanted or full.rpartition(".")[0] == wanted
            ]
            self._answer({kind: found})

    def do_POST(self) -> None:
        kind, _, _ = self._asked()
        made = self._body()
        full = ".".join(made[key] for key in ("catalog_name", "schema_name", "name") if key in made)
        self.held[kind][full] = made
        self._answer(made)

    def do_DELETE(self) -> None:
        kind, name, _ = self._asked()
        self._answer({} if self.held[kind].pop(name, None) else None)

    def do_PATCH(self) -> None:
        self.grants.append((self.path.partition("/unity-catalog/")[2], self._body()["changes"]))
        self._answer({})

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def _asked(self) -> tuple[str, str, dict[str, list[str]]]:
        address = urlsplit(self.path)
        kind, _, name = address.path.removeprefix("/api/2.1/unity-catalog/").partition("/")
        return kind, name, parse_qs(address.query)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, value: Any) -> None:
        text = json.dumps({"message": "there is none"} if value is None else value).encode()
        self.send_response(404 if value is None else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def workspace() -> Iterator[SimpleNamespace]:
    """A workspace with the catalog `lab` and the schema `lab.s`: its host, and what it holds."""
    Workspace.held = {
        "catalogs": {"lab": {"name": "lab"}},
        "schemas": {"lab.s": {"catalog_name": "lab", "name": "s"}},
        "volumes": {},
    }
    Workspace.grants = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Workspace)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    identity = {
        "host": f"http://127.0.0.1:{server.server_port}",
        "workspace_id": "7",
        "user": "me@here",
        "job_id": "11",
        "job_name": "job",
        "run_id": "22",
        "task_run_id": "33",
        "task_key": "Main",
        "notebook_id": "44",
    }
    yield SimpleNamespace(identity=identity, held=Workspace.held, grants=Workspace.grants)
    server.shutdown()
    server.server_close()
