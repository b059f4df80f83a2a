"""Bundles: what the CLI deploys, as the other clients see it."""

from pathlib import Path

from clients import CLI, SDK, Clients, refusal
from rows_jobs import notebook, wait
from table import row

BUNDLE = """\
bundle:
  name: {name}
  engine: direct
resources:
  jobs:
    greet:
      name: {name}
      parameters:
        - name: who
          default: nobody
      tasks:
        - task_key: hello
          notebook_task:
            notebook_path: ./hello.py
  experiments:
    trials:
      name: /Users/${{workspace.current_user.userName}}/{name}
targets:
  only:
    mode: production
    workspace:
      root_path: /Workspace/Users/${{workspace.current_user.userName}}/.bundle/{name}
"""
HELLO = "# Databricks notebook source\ndbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))\n"


def bundle(clients: Clients, name: str) -> Path:
    """The folder of a bundle with a job and an experiment."""
    folder = clients.folder / name
    folder.mkdir()
    (folder / "databricks.yml").write_text(BUNDLE.format(name=name))
    (folder / "hello.py").write_text(HELLO)
    return folder


@row("Bundles", "deploy, plan without a change, destroy, deploy again", writes=CLI, reads=SDK)
def deploy(clients: Clients, name: str) -> None:
    folder = bundle(clients, name)
    clients.cli("bundle", "deploy", cwd=folder)
    jobs = list(clients.sdk.jobs.list(name=name))
    assert len(jobs) == 1
    plan = clients.cli("bundle", "plan", cwd=folder)["plan"]
    assert {change["action"] for change in plan.values()} == {"skip"}
    clients.cli("bundle", "destroy", "--auto-approve", cwd=folder)
    assert list(clients.sdk.jobs.list(name=name)) == []
    clients.cli("bundle", "deploy", cwd=folder)
    assert len(list(clients.sdk.jobs.list(name=name))) == 1


@row("Bundles", "a deployed job runs with its parameters", writes=CLI, reads=SDK)
def run(clients: Clients, name: str) -> None:
    folder = bundle(clients, name)
    clients.cli("bundle", "deploy", cwd=folder)
    clients.cli("bundle", "run", "greet", "--params", "who=you", cwd=folder)
    (job,) = clients.sdk.jobs.list(name=name)
    (done,) = clients.sdk.jobs.list_runs(job_id=job.job_id, expand_tasks=True)
    assert clients.sdk.jobs.get_run_output(done.tasks[0].run_id).notebook_output.result == "hello you"


@row("Bundles", "a change from elsewhere shows in the plan", writes=SDK, reads=CLI)
def drift(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import JobSettings

    folder = bundle(clients, name)
    clients.cli("bundle", "deploy", cwd=folder)
    (job,) = clients.sdk.jobs.list(name=name)
    clients.sdk.jobs.update(job.job_id, new_settings=JobSettings(timeout_seconds=5))
    plan = clients.cli("bundle", "plan", cwd=folder)["plan"]
    assert plan["resources.jobs.greet"]["action"] == "update"


@row("Bundles", "a job that was there before is bound", writes=f"{SDK}, {CLI}", reads=SDK)
def bind(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import NotebookTask, Task

    task = Task("old", notebook_task=NotebookTask(**notebook(clients, name, "pass")))
    job_id = clients.sdk.jobs.create(name=f"{name}-old", tasks=[task]).job_id
    folder = bundle(clients, name)
    clients.cli("bundle", "deployment", "bind", "greet", job_id, "--auto-approve", cwd=folder)
    clients.cli("bundle", "deploy", cwd=folder)
    settings = clients.sdk.jobs.get(job_id).settings
    assert (settings.name, [task.task_key for task in settings.tasks]) == (name, ["hello"])


@row("Bundles", "two who deploy at once: one waits outside", writes=CLI, reads=CLI)
def lock(clients: Clients, name: str) -> None:
    folder = bundle(clients, name)
    clients.cli("bundle", "deploy", cwd=folder)
    path = f"/Users/{clients.me}/.bundle/{name}/state/deploy.lock"
    held = clients.folder / f"{name}.lock"
    held.write_text(
        '{"ID":"6a1e8f2e-0000-4000-8000-000000000000","AcquisitionTime":"2026-01-01T00:00:00Z","User":"x@y"}'
    )
    clients.cli("workspace", "import", path, "--file", held, "--format", "AUTO")
    with refusal("deploy lock"):
        clients.cli("bundle", "deploy", cwd=folder)
    clients.cli("bundle", "deploy", "--force-lock", cwd=folder)


@row("Bundles", "a run that fails ends the command with an error", writes=SDK, reads=CLI)
def a_failing_run(clients: Clients, name: str) -> None:
    folder = bundle(clients, name)
    (folder / "hello.py").write_text("# Databricks notebook source\nraise ValueError('no fares today')\n")
    clients.cli("bundle", "deploy", cwd=folder)
    with refusal("no fares today"):
        clients.cli("bundle", "run", "greet", cwd=folder)
    (job,) = clients.sdk.jobs.list(name=name)
    (ended,) = clients.sdk.jobs.list_runs(job_id=job.job_id)
    wait(clients, ended.run_id)
