"""Runs one task's notebook in this plain Python process: the yardstick of the `training-job` figure.

Arguments: task key, the job as `jobs/get` returns it, a file for task values, the state folder of
the local workspace. Only what a notebook needs to run is here: widgets, task values, exit.
"""

import builtins
import json
import os
import re
import sys
from pathlib import Path

task_key, job_file, values_file, state = sys.argv[1:]
job = json.loads(Path(job_file).read_text())["settings"]
task = next(task for task in job["tasks"] if task["task_key"] == task_key)
parameters = {p["name"]: p.get("default", "") for p in job.get("parameters", [])}
parameters.update(task["notebook_task"].get("base_parameters", {}))
values_path = Path(values_file)
values = json.loads(values_path.read_text()) if values_path.exists() else {}


def resolved(match):
    """What a reference such as {{tasks.Train.values.model_version}} or {{job.id}} stands for."""
    path = match.group(1).split(".")
    if path[0] == "tasks":
        return str(values[path[1]][path[3]])
    return parameters[path[2]] if path[:2] == ["job", "parameters"] else "1"


parameters = {name: re.sub(r"\{\{\s*([\w.]+)\s*\}\}", resolved, value) for name, value in parameters.items()}


def real(path):
    """Where the local workspace keeps what a notebook sees below /Volumes and /Workspace."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if isinstance(text, str) and text.startswith("/Volumes/"):
        return f"{state}/volumes/{text.removeprefix('/Volumes/')}"
    return path


def patched(function):
    return lambda path, *args, **kwargs: function(real(path), *args, **kwargs)


builtins.open = patched(builtins.open)
for name in ("makedirs", "mkdir", "stat", "listdir", "remove", "replace", "rename"):
    setattr(os, name, patched(getattr(os, name)))


class Exit(BaseException):
    pass


class Widgets:
    def get(self, name):
        return parameters[name]

    def text(self, name, default="", label=None):
        parameters.setdefault(name, default)

    def dropdown(self, name, default="", choices=(), label=None):
        parameters.setdefault(name, default)


class TaskValues:
    def set(self, key, value):
        values.setdefault(task_key, {})[key] = value

    def get(self, taskKey, key, default=None, debugValue=None):  # noqa: N803
        return values.get(taskKey, {}).get(key, default)


class Dbutils:
    widgets = Widgets()
    jobs = type("Jobs", (), {"taskValues": TaskValues()})

    class notebook:  # noqa: N801
        @staticmethod
        def exit(value):
            raise Exit(value)


notebook = Path(state, "files", task["notebook_task"]["notebook_path"].removeprefix("/Workspace/").lstrip("/"))
source = "\n".join(line for line in notebook.read_text().splitlines() if not line.startswith("# MAGIC"))
sys.path.insert(0, str(notebook.parent))
os.chdir(notebook.parent)
try:
    exec(compile(source, str(notebook), "exec"), {"__name__": "__main__", "dbutils": Dbutils(), "display": print})
except Exit:
    pass
values_path.write_text(json.dumps(values))
