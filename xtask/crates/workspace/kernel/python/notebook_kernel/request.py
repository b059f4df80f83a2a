"""What a process is asked to run: one JSON object, read from its standard input."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Identity:
    """Who runs, where and as part of what: what Databricks tells a notebook about itself.

    Ids are texts. `task_run_id` is what MLflow calls the job run; `run_id` is the job's run. `is_admin` says that the
    workspace refuses nothing to the identity that the code acts as.
    """

    host: str
    workspace_id: str
    user: str
    job_id: str
    job_name: str
    run_id: str
    task_run_id: str
    task_key: str
    notebook_id: str
    is_admin: bool = True


@dataclass(frozen=True)
class Request:
    """One run of a notebook or a program. Paths of the host are real, `notebook` is the workspace's own.

    `kind` is "notebook", which takes `parameters`, or "python_file" or "python_wheel", which take `arguments`; a wheel
    has no file, but `package` and `entry_point`. `dependencies` are what the job wants installed; once they are,
    `prepared` says so, and `overlays` is where they are. `notebook_environment` tells why the notebook's own
    dependencies are not among them; it is empty where they count.
    """

    notebook: str
    source_file: Path | None
    events: Path
    folder: Path
    imports_file: Path
    roots: dict[str, str]
    identity: Identity
    kind: str = "notebook"
    arguments: list[str] = field(default_factory=list)
    package: str = ""
    entry_point: str = ""
    dependencies: list[str] = field(default_factory=list)
    notebook_environment: str = ""
    prepared: bool = False
    overlays: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    task_values: dict[str, dict[str, Any]] = field(default_factory=dict)
    start_cell: int = 0
    widgets: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Request:
        """Reads the JSON object. Raises `ValueError` where a field is missing or unknown."""
        fields = json.loads(text)
        try:
            for name in ("source_file", "events", "folder", "imports_file"):
                fields[name] = Path(fields[name]) if fields[name] else None
            fields["identity"] = Identity(**fields["identity"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a request of this kernel: {error}") from error

    @property
    def code_folder(self) -> Path:
        """Where the code starts, and where its imports are looked for: its own folder; a wheel has an empty one."""
        return self.source_file.parent if self.source_file is not None else self.folder / "work"

    def text(self) -> str:
        """The code; a wheel has none."""
        if self.source_file is None:
            return ""
        with open(self.source_file, encoding="utf-8") as file:
            return file.read()

    @property
    def task_values_file(self) -> Path:
        """Where the values that this task sets are left for the tasks after it."""
        return self.folder / "task_values.json"

    @property
    def restart_file(self) -> Path:
        """Where a fresh interpreter finds the cell to go on with, and the widgets."""
        return self.folder / "restart.json"

    @property
    def process_log(self) -> Path:
        """Where output goes that passes Python by."""
        return self.folder / "process.log"
