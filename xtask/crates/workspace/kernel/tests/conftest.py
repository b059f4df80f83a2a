"""Makes the kernel importable, and runs notebooks with it as the workspace does: in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KERNEL = Path(__file__).resolve().parent.parent / "python"
sys.path.insert(0, str(KERNEL))


@dataclass
class Outcome:
    """What a notebook run left behind."""

    code: int
    events: list[dict[str, Any]]
    folder: Path
    log: str

    def all(self, event: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [item for item in self.events if item["event"] == event]

    @property
    def printed(self) -> str:
        """Everything that was printed."""
        return "".join(item["text"] for item in self.all("stream"))

    @property
    def error(self) -> dict[str, Any]:
        """The one failure."""
        (error,) = self.all("error")
        return error


class Runner:
    """A workspace's folders and the kernel's process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = root / "files"
        self.volumes = root / "volumes"
        self.dbfs = root / "dbfs"
        self.home = root / "home"
        for folder in (self.files / "nb", self.volumes / "c/s/v", self.dbfs, self.home):
            folder.mkdir(parents=True)

    def start(self, source: str, **fields: Any) -> tuple[subprocess.Popen[str], Path]:
        """Starts a process for a notebook with this text."""
        file = self.files / "nb/Main"
        header = "" if fields.get("kind") == "python_file" else "# Databricks notebook source\n"
        file.write_text(fields.pop("header", header) + source)
        folder = self.root / "run"
        folder.mkdir(exist_ok=True)
        request = {
            "notebook": "/Workspace/nb/Main",
            "source_file": str(file),
            "events": str(folder / "events.jsonl"),
            "imports_file": str(self.home / "imports.json"),
            "folder": str(folder),
            "roots": {"/Workspace": str(self.files), "/Volumes": str(self.volumes), "/dbfs": str(self.dbfs)},
            "identity": {
                "host": "http://127.0.0.1:1",
                "workspace_id": "7",
                "user": "me@here",
                "job_id": "11",
                "job_name": "job",
                "run_id": "22",
                "task_run_id": "33",
                "task_key": "Main",
                "notebook_id": "44",
            },
            **fields,
        }
        process = subprocess.Popen(
            [sys.executable, str(KERNEL / "start.py"), "--home", str(self.home)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: os.environ[name] for name in ("PATH", "XTASK_SPARK_JARS") if name in os.environ}
            | {"HOME": str(self.home)},
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return process, folder

    def outcome(self, process: subprocess.Popen[str], folder: Path) -> Outcome:
        """Waits for the end; standard input stays open till then, it is the lifeline."""
        code = process.wait(240)
        assert process.stderr is not None
        log = process.stderr.read()
        for stream in (process.stdin, process.stderr):
            if stream is not None:
                stream.close()
        file = folder / "events.jsonl"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        return Outcome(code, [json.loads(line) for line in lines], folder, log)

    def __call__(self, source: str, **fields: Any) -> Outcome:
        """Runs a notebook to its end."""
        return self.outcome(*self.start(source, **fields))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs a notebook: `run(source, parameters={…})`."""
    return Runner(tmp_path)
