"""`dbutils.jobs.taskValues`: small values that a task leaves for the tasks after it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from notebook_kernel.utility import Utility

# Databricks' limit for one value, as JSON.
VALUE_LIMIT = 48 * 1024
_MISSING = object()


class Jobs(Utility):
    """`dbutils.jobs`."""

    _called = "dbutils.jobs"

    def __init__(self, task_key: str, upstream: dict[str, dict[str, Any]], file: Path) -> None:
        self.taskValues = TaskValues(task_key, upstream, file)


class TaskValues(Utility):
    """Values of finished tasks come with the request; own ones go to a file the runner reads."""

    _called = "dbutils.jobs.taskValues"

    def __init__(self, task_key: str, upstream: dict[str, dict[str, Any]], file: Path) -> None:
        self._task_key = task_key
        self._upstream = upstream
        self._file = file

    def set(self, key: str, value: Any) -> None:
        """Leaves a JSON value under a name; a later call replaces it."""
        if not isinstance(key, str) or not key:
            raise ValueError("the key of a task value must be a non-empty string")
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"task value {key!r} cannot be written as JSON: {error}") from error
        if len(text) > VALUE_LIMIT:
            raise ValueError(
                f"task value {key!r} has {len(text)} bytes; the limit is {VALUE_LIMIT} bytes: "
                "write it to a volume and pass the path"
            )
        values = self._own()
        values[key] = value
        temporary = self._file.with_suffix(".new")
        with open(temporary, "w", opener=_private) as file:
            json.dump(values, file)
        os.replace(temporary, self._file)

    def get(
        self,
        taskKey: str,
        key: str,
        default: Any = _MISSING,
        debugValue: Any = None,
    ) -> Any:
        """The value another task has set; without one the default, else an error."""
        values = self._own() if taskKey == self._task_key else self._upstream.get(taskKey)
        if values is not None and key in values:
            return values[key]
        if default is not _MISSING and default is not None:
            return default
        if values is None:
            known = ", ".join(sorted(self._upstream)) or "none"
            raise ValueError(
                f"no task {taskKey!r} has finished before this one (finished: {known}); is it in depends_on?"
            )
        raise ValueError(f"task {taskKey!r} has not set a value {key!r}; it has: {sorted(values)}")

    def _own(self) -> dict[str, Any]:
        try:
            with open(self._file) as file:
                return json.load(file)
        except FileNotFoundError:
            return {}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
