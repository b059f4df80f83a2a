"""Model versions at work: each one predicts in a process of its own.

Python keeps one module of a name in a process. Two versions that bring modules of the same name, or one that brings a copy
of this package, would answer with each other's code there. So a version's code is never run in this process.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
from mlflow.models import Model

from mlops_stacks import records, version_process
from mlops_stacks.columns import PROBLEM

TAIL = 2000
"""Characters of a process's last words that an error shows."""


class VersionFailed(Exception):
    """A version cannot be loaded or does not predict: says which one, why, and what to do."""


class Process:
    """A Python process that becomes one version. It starts at once, and imports what it needs meanwhile."""

    def __init__(self, label: str) -> None:
        self.label, self._loading = label, False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        # What can be imported here can be there; and the version's files stay as they were verified.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._process = subprocess.Popen(
            [sys.executable, "-P", version_process.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            # Unbuffered: what it says is there, however it ends.
            env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        )

    def load(self, folder: str) -> None:
        """Begins to load the version; how that went shows when it is first asked."""
        self._loading = True
        self._send(folder.encode())

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """The numbers that it predicts, row by row."""
        if self._loading:
            self._answer("cannot be loaded")
            self._loading = False
        self._send(as_bytes(rows))
        return np.frombuffer(self._answer("does not predict"), dtype=float)

    def close(self) -> None:
        """Ends the process, and passes on what it said."""
        self._process.kill()
        self._process.communicate()
        self._said.seek(0)
        sys.stderr.write(self._said.read().decode(errors="replace"))
        self._said.close()

    def _send(self, content: bytes) -> None:
        with suppress(BrokenPipeError):  # it has ended: why is said where its answer is missing
            version_process.send(self._process.stdin, content)

    def _answer(self, what: str) -> bytes:
        answer = version_process.receive(self._process.stdout)
        if answer is None:
            raise VersionFailed(f"{self.label} {what}: {self._last_words()}")
        if answer[:1] == b"+":
            return answer[1:]
        reason, _, trace = answer[1:].decode(errors="replace").partition("\n")
        raise failure(f"{self.label} {what}: {reason}", trace)

    def _last_words(self) -> str:
        code = self._process.wait()
        ended = f"its process ended with exit code {code}"
        if code < 0:
            ended = f"its process was killed by {signal.Signals(-code).name}"
            ended += ", probably out of memory" if -code == signal.SIGKILL else ""
        self._said.seek(0)
        said = self._said.read()[-TAIL:].decode(errors="replace").strip()
        return f"{ended}\n{said}" if said else ended


def as_bytes(rows: pd.DataFrame) -> bytes:
    """The rows in Arrow's stream format, which keeps the type of each column."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue().to_pybytes()


def failure(what: str, trace: str) -> VersionFailed:
    """The failure with what to do, and the traceback of the version's own process as a note."""
    advice = "Its logged code ran in a separate process; the traceback is below."
    if "ModuleNotFoundError" in what or "ImportError" in what:
        advice = (
            "Its requirements.txt lists its packages: add a missing package to pyproject.toml and to the "
            "job's environment in resources/, and a module of the project to code_paths when logging the model."
        )
    found = VersionFailed(f"{what}\n{advice}")
    found.add_note(f"Traceback in the version's process:\n{trace.strip()}")
    return found


@dataclass(frozen=True)
class Version:
    """A model version at work.

    Attributes:
        name: registered model.
        version: its number.
        artifact_digest: the digest of the very files it was loaded from.
        described: what its file MLmodel says.
    """

    name: str
    version: str
    artifact_digest: str
    described: Model
    _process: Process = field(repr=False)

    @property
    def inputs(self) -> list[str] | None:
        """The input columns that the signature names; None without a signature, or with an unnamed input."""
        schema = self.described.get_input_schema()
        return schema.input_names() if schema is not None and schema.has_input_names() else None

    def lacks(self, given: Iterable[str]) -> list[str]:
        """The inputs that the version needs and is not given."""
        schema = self.described.get_input_schema()
        needed = schema.required_input_names() if schema is not None and schema.has_input_names() else []
        return [name for name in needed if name not in set(given)]

    @property
    def metadata(self) -> dict[str, object]:
        """What training kept with the version."""
        return self.described.metadata or {}

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """What the problem wants for each row: one number, or a probability of each class.

        Raises:
            VersionFailed: it cannot be loaded, does not predict, or predicts for another problem.
        """
        found, each = self._process.predict(rows), PROBLEM.width
        if len(found) != len(rows) * each:
            says = f"{self._process.label} predicts {len(found)} numbers for {len(rows)} rows"
            raise VersionFailed(f"{says}; a {PROBLEM.answer} needs {each} per row")
        return found if each == 1 else found.reshape(len(rows), each)


@contextmanager
def opened(name: str, version: str) -> Iterator[Version]:
    """Fetches a version's files and starts it; ends it and removes them at the end."""
    with _started(f"version {version} of {name}") as process, tempfile.TemporaryDirectory() as folder:
        local = mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=folder)
        digest = records.artifact_digest(local)  # first: what its code may write is no part of it
        process.load(local)
        yield Version(name, version, digest, Model.load(local), process)


@contextmanager
def opened_in(folder: str) -> Iterator[Version]:
    """Starts the version whose files are in a folder, wherever it is registered."""
    with _started(f"the model in {folder}") as process:
        described = Model.load(folder)
        process.load(folder)
        yield Version("", "", "", described, process)


@contextmanager
def _started(label: str) -> Iterator[Process]:
    process = Process(label)
    try:
        yield process
    finally:
        process.close()
