"""`dbutils.notebook.run`: another notebook as a run of its own, which the caller waits for."""

from __future__ import annotations

import posixpath
import time
from typing import Any

from notebook_kernel import rest

# Pauses between two looks at the run, in seconds: first, and at most.
FIRST_PAUSE = 0.03
LONGEST_PAUSE = 0.5
TASK_KEY = "notebook"


class WorkflowException(Exception):
    """The notebook that was run did not succeed."""


class Workflow:
    """Runs notebooks through the workspace's own Jobs API, with the token of this run."""

    def __init__(self, host: str, notebook: str) -> None:
        self._jobs = f"{host}/api/2.2/jobs"
        self._notebook = notebook

    def run(self, path: str, timeout_seconds: int = 0, arguments: dict[str, str] | None = None) -> str | None:
        """Runs the notebook and gives back what it handed to `exit`; None without an exit.

        Raises `WorkflowException` where it fails, is cancelled, or takes too long.
        """
        run_id = self._submit(self._resolve(path), timeout_seconds, _texts(arguments))
        print(f"Notebook job #{run_id}")
        run = self._wait(run_id)
        task = run["tasks"][-1]
        output = self._call("GET", "runs/get-output", {"run_id": task["run_id"]})
        result = run["state"].get("result_state", "FAILED")
        if result != "SUCCESS":
            reason = output.get("error") or run["state"].get("state_message") or "it says no reason"
            if task["state"].get("result_state") == "TIMEDOUT":
                result = "TIMEDOUT"
            raise WorkflowException(f"{path} ended {result}: {reason} ({run['run_page_url']})")
        return output.get("notebook_output", {}).get("result")

    def _resolve(self, path: str) -> str:
        """Relative paths count from the notebook that runs the other."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self._notebook), path))
        return path.removesuffix(".py")

    def _submit(self, path: str, timeout_seconds: int, arguments: dict[str, str]) -> int:
        task = {
            "task_key": TASK_KEY,
            "timeout_seconds": timeout_seconds,
            "notebook_task": {"notebook_path": path, "base_parameters": arguments},
        }
        body = {"run_name": posixpath.basename(path), "run_type": "WORKFLOW_RUN", "tasks": [task]}
        return self._call("POST", "runs/submit", body)["run_id"]

    def _wait(self, run_id: int) -> dict[str, Any]:
        """Looks until the run has ended. Should this process be ended first, the workspace ends that run."""
        pause = FIRST_PAUSE
        while True:
            run = self._call("GET", "runs/get", {"run_id": run_id})
            if run["end_time"]:
                return run
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _call(self, method: str, route: str, values: dict[str, Any]) -> Any:
        try:
            return rest.call(method, f"{self._jobs}/{route}", values)
        except rest.RestError as error:
            raise WorkflowException(str(error)) from None


def _texts(arguments: dict[str, str] | None) -> dict[str, str]:
    for name, value in (arguments or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"the arguments of a notebook must be strings; {name!r} is {value!r}")
    return dict(arguments or {})
