"""What all parts of `dbutils` have: help, and a sentence about a member that is not there."""

from __future__ import annotations

import inspect
from typing import NoReturn


class Bridge:
    """An object that on Databricks may have more members than here."""

    _called = "dbutils"

    def __getattr__(self, name: str) -> NoReturn:
        """Says what is missing and what there is; `hasattr` and Python's own questions get their answer."""
        if name.startswith("__"):
            raise AttributeError(name)
        known = ", ".join(self._members())
        raise AttributeError(
            f"{self._called}.{name}: not supported by the local workspace (supported: {known})", name=name, obj=self
        )

    def _members(self) -> list[str]:
        return sorted(name for name in {*vars(self), *dir(type(self))} if not name.startswith("_"))


class Utility(Bridge):
    """A module of `dbutils`."""

    def help(self, command: str = "") -> None:
        """Lists the commands, or tells of one."""
        for name in [command] if command else self._members():
            member = getattr(self, name)
            if callable(member):
                print(f"{self._called}.{name}{inspect.signature(member)}: {_first_line(member)}")
            else:
                print(f"{self._called}.{name}: {_first_line(member)}")


def _first_line(member: object) -> str:
    return (inspect.getdoc(member) or "").partition("\n")[0]
