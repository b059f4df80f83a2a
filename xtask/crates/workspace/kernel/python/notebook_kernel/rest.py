"""Calls of the workspace's REST API, with the token of this run."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode


class RestError(Exception):
    """The workspace refused a call."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def call(method: str, url: str, values: dict[str, Any]) -> Any:
    """Sends the values (as the query of a GET, else as JSON) and gives back what the JSON reply says."""
    data = None
    if method == "GET":
        url += "?" + urlencode(values)
    else:
        data = json.dumps(values).encode()
    try:
        with request(method, url, data, timeout=60) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", errors="replace")
        try:
            text = json.loads(text)["message"]
        except (ValueError, KeyError, TypeError):
            pass
        raise RestError(error.code, text) from None


def request(method: str, url: str, data: bytes | None, timeout: float) -> Any:
    """An open reply. Raises `OSError` where there is none."""
    headers = {
        "Authorization": f"Bearer {os.environ.get('DATABRICKS_TOKEN', '')}",
        "Content-Type": "application/json",
    }
    # The workspace is on this machine: no proxy of the environment is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(urllib.request.Request(url, data, headers, method=method), timeout=timeout)
