"""`dbutils.widgets`: the parameters of a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from notebook_kernel.utility import Utility


class InputWidgetNotDefined(Exception):
    """A widget was asked for that neither the notebook nor the job defines."""


class Widgets(Utility):
    """Definitions made by the notebook; the job's parameters beat their defaults."""

    _called = "dbutils.widgets"

    def __init__(self, parameters: dict[str, str], defined: dict[str, Any]) -> None:
        self._parameters = parameters
        self._defaults: dict[str, str] = dict(defined)

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:
        """Defines a text field."""
        self._define(name, defaultValue)

    def dropdown(
        self,
        name: str,
        defaultValue: str,
        choices: Sequence[str],
        label: str | None = None,
    ) -> None:
        """Defines a choice of one. The default must be one of them; a job's value need not."""
        known = _texts(name, choices)
        if str(defaultValue) not in known:
            raise ValueError(f"the default {defaultValue!r} of widget {name!r} is not one of its choices: {known}")
        self._define(name, defaultValue)

    def combobox(
        self,
        name: str,
        defaultValue: str,
        choices: Sequence[str],
        label: str | None = None,
    ) -> None:
        """Defines a text field with suggestions."""
        _texts(name, choices)
        self._define(name, defaultValue)

    def multiselect(
        self,
        name: str,
        defaultValue: str,
        choices: Sequence[str],
        label: str | None = None,
    ) -> None:
        """Defines a choice of several; their values come joined by commas."""
        self.dropdown(name, defaultValue, choices, label)

    def get(self, name: str) -> str:
        """The value of one widget."""
        if name in self._parameters:
            return self._parameters[name]
        if name in self._defaults:
            return self._defaults[name]
        known = ", ".join(sorted({*self._parameters, *self._defaults})) or "none"
        raise InputWidgetNotDefined(
            f"no input widget named {name!r} is defined (there are: {known}). Define it with "
            f"dbutils.widgets.text({name!r}, ...), or add a parameter of that name to the job or task"
        )

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        """The value, or what is given (an older way to ask)."""
        if name in self._parameters or name in self._defaults or defaultValue is None:
            return self.get(name)
        return str(defaultValue)

    def getAll(self) -> dict[str, str]:
        """All values by name."""
        return {**self._defaults, **self._parameters}

    def remove(self, name: str) -> None:
        """Takes one definition back."""
        self._defaults.pop(name, None)

    def removeAll(self) -> None:
        """Takes all definitions back."""
        self._defaults.clear()

    def _define(self, name: str, default: str) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError("a widget needs a non-empty name")
        self._defaults[name] = str(default)

    @contextmanager
    def overridden(self, values: dict[str, str]) -> Iterator[None]:
        """Other values while a notebook is included with `%run`."""
        before = self._parameters
        self._parameters = {**before, **values}
        try:
            yield
        finally:
            self._parameters = before

    def bindings(self) -> dict[str, str]:
        """What the job, or the notebook that includes this one, gives as parameters."""
        return dict(self._parameters)

    def definitions(self) -> dict[str, str]:
        """What a fresh interpreter must know after `restartPython`."""
        return dict(self._defaults)


def _texts(name: str, choices: Sequence[str]) -> list[str]:
    if isinstance(choices, str) or not isinstance(choices, Sequence):
        raise ValueError(f"the choices of widget {name!r} must be a list of strings, not {choices!r}")
    return [str(choice) for choice in choices]
