"""The local workspace as a program, started for one look at it."""

import json
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 60


class Workspace:
    """A running workspace. What it keeps in its folder, its address included, outlives it."""

    def __init__(self, program: Path, folder: Path, without: str | None = None) -> None:
        self._state = folder / "state"
        self._record = folder / "calls.jsonl"
        self._record.unlink(missing_ok=True)
        self._read = 0
        command = [program, "serve", "--state", self._state, "--python", sys.executable, "--record", self._record]
        if without:
            command += ["--without", without]
        self._log = (folder / "server.log").open("ab")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.url, self.token = self._await()

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def calls(self) -> list[str]:
        """The routes that were called since the last look, as `METHOD /path`; refused calls count as well."""
        text = self._record.read_text() if self._record.exists() else ""
        whole = text[self._read : text.rfind("\n") + 1]
        self._read += len(whole)
        return [json.loads(line)["route"] for line in whole.splitlines()]

    def _await(self) -> tuple[str, str]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise SystemExit(f"the workspace ended at once: see {self._log.name}")
            try:
                server = json.loads((self._state / "server.json").read_text())
                # The file of the last process may still be there.
                if server["pid"] == self._process.pid:
                    return server["url"], (self._state / "token").read_text().strip()
            except (FileNotFoundError, json.JSONDecodeError):
                pass
            time.sleep(0.02)
        raise SystemExit(f"the workspace did not start within {START_SECONDS} seconds")
