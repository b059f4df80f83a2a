"""The notebook context: `dbutils.notebook.entry_point…getContext()` and the REPL context of MLflow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from dbruntime.databricks_repl_context import ReplContext, set_context

from notebook_kernel.request import Request
from notebook_kernel.utility import Bridge

# What Databricks calls the kinds of tasks.
TASK_TYPES = {"notebook": "NOTEBOOK", "python_file": "PYTHON_SCRIPT", "python_wheel": "PYTHON_WHEEL"}


# There is no cluster, and code asks for its id all the same.
CLUSTER_ID = "local-workspace"


class Option(Bridge):
    """Scala's Option, as the JVM bridge on Databricks hands it out."""

    _called = "Option"

    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self) -> Any:
        """The value; an empty option is an error, as it is there."""
        if self._value is None:
            raise ValueError("None.get")
        return self._value

    def getOrElse(self, default: Any) -> Any:
        """The value, or what is given."""
        return default if self._value is None else self._value

    def isDefined(self) -> bool:
        """Whether there is a value."""
        return self._value is not None

    def isEmpty(self) -> bool:
        """Whether there is none."""
        return self._value is None

    nonEmpty = isDefined

    def __str__(self) -> str:
        return "None" if self._value is None else f"Some({self._value})"

    toString = __str__


class Getter(str):
    """A value of the context, which code reads as it is (`notebookPath`) or as an option (`notebookPath().get()`)."""

    def __call__(self) -> Option:
        """The option; without a value an empty one."""
        return Option(str(self) or None)


class Tags(Bridge):
    """The context's tags: `tags().get("jobId").get()`."""

    _called = "the context's tags"

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def contains(self, key: str) -> bool:
        """Whether there is such a tag."""
        return key in self._values

    def getOrElse(self, key: str, default: Any) -> Any:
        """The tag itself, or what is given."""
        return self._values.get(key, default)

    def get(self, key: str) -> Option:
        """The tag as an option."""
        return Option(self._values.get(key))

    def apply(self, key: str) -> str:
        """The tag itself; a missing one is an error."""
        if key not in self._values:
            raise KeyError(f"key not found: {key}")
        return self._values[key]

    __getitem__ = apply

    def __str__(self) -> str:
        return f"Map({', '.join(f'{key} -> {value}' for key, value in self._values.items())})"

    toString = __str__


class NotebookContext:
    """Answers every getter with an option, those it knows nothing for with an empty one."""

    def __init__(self, request: Request) -> None:
        who = request.identity
        self._tags = {
            "jobId": who.job_id,
            "idInJob": who.task_run_id,
            "runId": who.task_run_id,
            "multitaskParentRunId": who.run_id,
            "currentRunId": who.task_run_id,
            "jobName": who.job_name,
            "taskKey": who.task_key,
            "jobType": "WORKFLOW",
            "jobTaskType": "notebook",
            "clusterId": CLUSTER_ID,
            "orgId": who.workspace_id,
            "browserHostName": _without_scheme(who.host),
            "user": who.user,
            "notebookId": who.notebook_id,
        }
        self._values = {
            "notebookPath": _context_path(request.notebook),
            "notebookId": who.notebook_id,
            "apiUrl": who.host,
            "workspaceId": who.workspace_id,
            "browserHostName": _without_scheme(who.host),
            "userName": who.user,
            "jobId": who.job_id,
            "idInJob": who.task_run_id,
            "currentRunId": who.task_run_id,
            "clusterId": CLUSTER_ID,
            "jobTaskType": "notebook",
        }

    def tags(self) -> Tags:
        """The tags of the run."""
        return Tags(self._tags)

    def extraContext(self) -> Tags:
        """What else the notebook may ask for."""
        return Tags({"notebook_path": self._values["notebookPath"], "api_url": self._values["apiUrl"]})

    def apiToken(self) -> Option:
        """The run's own token; void when the run ends."""
        return Option(os.environ.get("DATABRICKS_TOKEN"))

    def toJson(self) -> str:
        """The context as JSON, without the token."""
        return json.dumps(
            {
                "tags": self._tags,
                "extraContext": {"notebook_path": self._values["notebookPath"]},
                "attributes": self._values,
                "currentRunId": {"id": int(self._tags["currentRunId"])},
            }
        )

    safeToJson = toJson

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Getter(self._values.get(name, ""))


class EntryPoint(Bridge):
    """`dbutils.notebook.entry_point`: the way through the JVM that notebooks copy from one another."""

    _called = "dbutils.notebook.entry_point"

    def __init__(self, context: NotebookContext, bindings: Callable[[], dict[str, str]]) -> None:
        self._context = context
        self._bindings = bindings

    def getCurrentBindings(self) -> dict[str, str]:
        """The parameters of the run."""
        return self._bindings()

    def getDbutils(self) -> EntryPoint:
        """Itself: the chain ends at `getContext`."""
        return self

    def notebook(self) -> EntryPoint:
        """Itself."""
        return self

    def getContext(self) -> NotebookContext:
        """The notebook's context."""
        return self._context


def install(request: Request) -> NotebookContext:
    """Makes the context known, to stock MLflow too: it then writes Databricks' job tags."""
    who = request.identity
    is_notebook = request.kind == "notebook"
    # MLflow takes whatever names a notebook as the source of its runs; a Python file's is the job.
    of_notebook = {
        "notebookId": who.notebook_id,
        "notebookPath": _context_path(request.notebook),
        "aclPathOfAclRoot": f"/workspace/{who.notebook_id}",
    }
    set_context(
        ReplContext(
            isInJob=True,
            isInNotebook=is_notebook,
            jobId=who.job_id,
            idInJob=who.task_run_id,
            currentRunId=who.task_run_id,
            jobType="WORKFLOW",
            jobTaskType=TASK_TYPES[request.kind],
            taskKey=who.task_key,
            workspaceId=who.workspace_id,
            workspaceUrl=_without_scheme(who.host),
            browserHostName=_without_scheme(who.host),
            apiUrl=who.host,
            apiToken=os.environ.get("DATABRICKS_TOKEN", ""),
            user=who.user,
            userName=who.user,
            sslTrustAll=False,
            **(of_notebook if is_notebook else {}),
        )
    )
    return NotebookContext(request)


def _context_path(notebook: str) -> str:
    """Databricks gives the path without /Workspace; notebooks put it in front themselves."""
    return notebook.removeprefix("/Workspace")


def _without_scheme(url: str) -> str:
    return url.split("://", 1)[-1]
