"""`dbutils.secrets`: reads the secrets of the workspace. Their values are hidden in all that the notebook gives out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from notebook_kernel import rest
from notebook_kernel.redaction import Redaction
from notebook_kernel.utility import Utility

HOW_TO = "make it with `databricks secrets {command}`, with the environment that `cargo xtask workspace env` prints"


class SecretNotFound(ValueError):
    """There is no such scope or secret."""


@dataclass(frozen=True)
class SecretMetadata:
    """Name of a secret."""

    key: str


@dataclass(frozen=True)
class SecretScope:
    """Name of a scope."""

    name: str

    def getName(self) -> str:
        """The name, as the JVM bridge on Databricks gives it."""
        return self.name


class Secrets(Utility):
    """Reads only, as on Databricks: writing is the command line's."""

    _called = "dbutils.secrets"

    def __init__(self, host: str, redaction: Redaction) -> None:
        self._url = f"{host}/api/2.0/secrets"
        self._redaction = redaction

    def get(self, scope: str, key: str) -> str:
        """The value of a secret, as text."""
        return self.getBytes(scope, key).decode("utf-8")

    def getBytes(self, scope: str, key: str) -> bytes:
        """The value of a secret."""
        reply = self._call("get", {"scope": scope, "key": key}, f"put-secret {scope} {key}")
        value = base64.b64decode(reply["value"])
        self._redaction.add(value.decode("utf-8", errors="replace"))
        return value

    def list(self, scope: str) -> list[SecretMetadata]:
        """Names of the secrets of a scope."""
        reply = self._call("list", {"scope": scope}, f"create-scope {scope}")
        return [SecretMetadata(entry["key"]) for entry in reply.get("secrets", [])]

    def listScopes(self) -> list[SecretScope]:
        """The scopes."""
        reply = self._call("scopes/list", {}, "create-scope")
        return [SecretScope(entry["name"]) for entry in reply.get("scopes", [])]

    def _call(self, route: str, values: dict[str, Any], command: str) -> Any:
        try:
            return rest.call("GET", f"{self._url}/{route}", values)
        except rest.RestError as error:
            if error.status != 404:
                raise
            raise SecretNotFound(f"{error}; {HOW_TO.format(command=command)}") from None
