"""`dbutils.secrets`: the local workspace keeps none, and says so."""

from __future__ import annotations

from typing import NoReturn


class Secrets:
    """Every call explains itself."""

    def get(self, scope: str, key: str) -> NoReturn:
        """Always fails: there are no secret scopes here."""
        raise RuntimeError(
            f"Secret does not exist with scope: {scope} and key: {key} (the local workspace keeps no "
            "secrets; pass what the notebook needs as a parameter, or skip this step locally)"
        )

    getBytes = get

    def list(self, scope: str) -> NoReturn:
        """Always fails, as a missing scope does."""
        raise RuntimeError(f"Scope {scope} does not exist (the local workspace keeps no secrets)")

    def listScopes(self) -> list[object]:
        """No scopes."""
        return []
