"""Jobs and their runs."""

import io
import json
from datetime import timedelta
from typing import Any

from clients import CLI, SDK, Clients, refusal
from table import row

RUN_LIMIT = timedelta(minutes=3)


def notebook(clients: Clients, name: str, code: str) -> dict[str, Any]:
    """A notebook in the workspace, as the task of a job."""
    from databricks.sdk.service.workspace import ImportFormat

    path = f"{clients.home}/{name}.py"
    source = f"# Databricks notebook source\n{code}\n"
    clients.sdk.workspace.upload(path, io.BytesIO(source.encode()), format=ImportFormat.AUTO, overwrite=True)
    return {"notebook_path": path.removesuffix(".py")}


def job(clients: Clients, name: str, code: str, **settings: Any) -> int:
    """A job with one notebook task, made with the CLI."""
    task = {"task_key": "only", "notebook_task": notebook(clients, name, code)}
    body = {"name": name, "tasks": [task], **settings}
    return clients.cli("jobs", "create", "--json", json.dumps(body))["job_id"]


@row("Jobs", "all settings of a job", writes=CLI, reads=SDK)
def settings_of_a_job(clients: Clients, name: str) -> None:
    job_id = job(
        clients,
        name,
        "pass",
        max_concurrent_runs=3,
        timeout_seconds=77,
        tags={"team": "fares"},
        parameters=[{"name": "env", "default": "test"}],
        schedule={"quartz_cron_expression": "0 0 9 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
    )
    settings = clients.sdk.jobs.get(job_id).settings
    assert (settings.name, settings.max_concurrent_runs, settings.timeout_seconds) == (name, 3, 77)
    assert settings.tags == {"team": "fares"}
    assert [(parameter.name, parameter.default) for parameter in settings.parameters] == [("env", "test")]
    assert settings.schedule.quartz_cron_expression == "0 0 9 * * ?"
    assert [task.task_key for task in settings.tasks] == ["only"]


@row("Jobs", "a part of the settings is changed, the rest stays", writes=SDK, reads=CLI)
def an_update(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import JobSettings

    job_id = job(clients, name, "pass", timeout_seconds=5)
    clients.sdk.jobs.update(job_id, new_settings=JobSettings(name=f"{name} renamed"))
    settings = clients.cli("jobs", "get", job_id)["settings"]
    assert (settings["name"], settings["timeout_seconds"]) == (f"{name} renamed", 5)


@row("Jobs", "lists by name, page by page", writes=SDK, reads=CLI)
def lists_of_jobs(clients: Clients, name: str) -> None:
    made = {clients.sdk.jobs.create(name=name).job_id for _ in range(25)}
    listed = [entry["job_id"] for entry in clients.cli("jobs", "list", "--name", name)]
    assert len(listed) == len(made)
    assert set(listed) == made


@row("Jobs", "a deleted job is gone", writes=CLI, reads=SDK)
def a_deleted_job(clients: Clients, name: str) -> None:
    job_id = job(clients, name, "pass")
    clients.cli("jobs", "delete", job_id)
    with refusal("does not exist"):
        clients.sdk.jobs.get(job_id)


@row("Jobs", "permissions of a job", writes=SDK, reads=CLI)
def permissions_of_a_job(clients: Clients, name: str) -> None:
    from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel

    job_id = job(clients, name, "pass")
    viewers = AccessControlRequest(group_name="users", permission_level=PermissionLevel.CAN_VIEW)
    clients.sdk.permissions.update("jobs", str(job_id), access_control_list=[viewers])
    entries = clients.cli("permissions", "get", "jobs", job_id)["access_control_list"]
    levels = {entry.get("group_name"): entry["all_permissions"][0]["permission_level"] for entry in entries}
    assert levels["users"] == "CAN_VIEW"


@row("Runs", "a notebook's result, with parameters", writes=SDK, reads=CLI)
def a_result(clients: Clients, name: str) -> None:
    job_id = job(
        clients,
        name,
        "dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))",
        parameters=[{"name": "who", "default": "nobody"}],
    )
    run = clients.sdk.jobs.run_now_and_wait(job_id, job_parameters={"who": "you"}, timeout=RUN_LIMIT)
    shown = clients.cli("jobs", "get-run", run.run_id)
    assert shown["state"]["result_state"] == "SUCCESS"
    output = clients.cli("jobs", "get-run-output", shown["tasks"][0]["run_id"])
    assert output["notebook_output"]["result"] == "hello you"


@row("Runs", "a failure names the error", writes=CLI, reads=SDK)
def a_failure(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import RunResultState

    job_id = job(clients, name, "raise ValueError('the fares are wrong')")
    run_id = clients.cli("jobs", "run-now", job_id, "--no-wait")["run_id"]
    wait(clients, run_id)
    run = clients.sdk.jobs.get_run(run_id)
    assert run.tasks[0].state.result_state == RunResultState.FAILED
    output = clients.sdk.jobs.get_run_output(run.tasks[0].run_id)
    assert "the fares are wrong" in output.error
    assert "ValueError" in output.error_trace


def wait(clients: Clients, run_id: int) -> None:
    """Waits until a run has ended, however it ends."""
    from databricks.sdk.errors import OperationFailed

    try:
        clients.sdk.jobs.wait_get_run_job_terminated_or_skipped(run_id, timeout=RUN_LIMIT)
    except OperationFailed:
        pass


@row("Runs", "task values, and what runs after a failure", writes=SDK, reads=CLI)
def task_values(clients: Clients, name: str) -> None:
    gives = notebook(clients, f"{name}-gives", "dbutils.jobs.taskValues.set('rows', 42)")
    code = "dbutils.notebook.exit(str(dbutils.jobs.taskValues.get('gives', 'rows') + 1) + dbutils.widgets.get('ref'))"
    takes = {**notebook(clients, f"{name}-takes", code), "base_parameters": {"ref": "/{{tasks.gives.values.rows}}"}}
    fails = notebook(clients, f"{name}-fails", "raise RuntimeError")
    on_failure = notebook(clients, f"{name}-mends", "pass")
    tasks = [
        {"task_key": "gives", "notebook_task": gives},
        {"task_key": "takes", "notebook_task": takes, "depends_on": [{"task_key": "gives"}]},
        {"task_key": "fails", "notebook_task": fails},
        {"task_key": "never", "notebook_task": gives, "depends_on": [{"task_key": "fails"}]},
        {
            "task_key": "mends",
            "notebook_task": on_failure,
            "depends_on": [{"task_key": "fails"}],
            "run_if": "AT_LEAST_ONE_FAILED",
        },
    ]
    job_id = clients.cli("jobs", "create", "--json", json.dumps({"name": name, "tasks": tasks}))["job_id"]
    run = clients.sdk.jobs.run_now(job_id)
    wait(clients, run.run_id)
    shown = {task["task_key"]: task for task in clients.cli("jobs", "get-run", run.run_id)["tasks"]}
    states = {key: task["state"].get("result_state") for key, task in shown.items()}
    assert states == {
        "gives": "SUCCESS",
        "takes": "SUCCESS",
        "fails": "FAILED",
        "never": "UPSTREAM_FAILED",
        "mends": "SUCCESS",
    }
    output = clients.cli("jobs", "get-run-output", shown["takes"]["run_id"])
    assert output["notebook_output"]["result"] == "43/42"


@row("Runs", "a run without a job", writes=SDK, reads=CLI)
def a_submitted_run(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import NotebookTask, SubmitTask

    task = SubmitTask("only", notebook_task=NotebookTask(**notebook(clients, name, "pass")))
    run = clients.sdk.jobs.submit_and_wait(run_name=name, tasks=[task], timeout=RUN_LIMIT)
    listed = clients.cli("jobs", "list-runs", "--run-type", "SUBMIT_RUN")
    assert [entry["run_name"] for entry in listed if entry["run_id"] == run.run_id] == [name]


@row("Runs", "the same token starts one run", writes=SDK, reads=CLI)
def one_run_a_token(clients: Clients, name: str) -> None:
    job_id = job(clients, name, "pass")
    runs = {clients.sdk.jobs.run_now(job_id, idempotency_token=name).run_id for _ in range(2)}
    listed = clients.cli("jobs", "list-runs", "--job-id", job_id)
    assert {entry["run_id"] for entry in listed} == runs
    assert len(runs) == 1
    wait(clients, runs.pop())


@row("Runs", "a cancelled run", writes=CLI, reads=SDK)
def a_cancelled_run(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import RunResultState

    job_id = job(clients, name, "import time; time.sleep(600)")
    run_id = clients.sdk.jobs.run_now(job_id).run_id
    clients.cli("jobs", "cancel-run", run_id, "--no-wait")
    wait(clients, run_id)
    assert clients.sdk.jobs.get_run(run_id).state.result_state == RunResultState.CANCELED


@row("Runs", "a repair runs what failed again", writes=CLI, reads=SDK)
def a_repair(clients: Clients, name: str) -> None:
    from databricks.sdk.service.jobs import RunResultState

    # Fails the first time, as the file is not there yet.
    flag = f"/Workspace{clients.home}/{name}.flag"
    code = f"import os\nok = os.path.exists('{flag}')\nopen('{flag}', 'w').close()\nassert ok"
    job_id = job(clients, name, code)
    run_id = clients.sdk.jobs.run_now(job_id).run_id
    wait(clients, run_id)
    assert clients.sdk.jobs.get_run(run_id).state.result_state == RunResultState.FAILED
    clients.cli("jobs", "repair-run", run_id, "--rerun-all-failed-tasks", "--no-wait")
    wait(clients, run_id)
    run = clients.sdk.jobs.get_run(run_id, include_history=True)
    assert run.state.result_state == RunResultState.SUCCESS
    assert len(run.repair_history) == 2


@row("Runs", "the executed notebook", writes=SDK, reads=CLI)
def an_export(clients: Clients, name: str) -> None:
    job_id = job(clients, name, f"print('seen in {name}')")
    run = clients.sdk.jobs.run_now_and_wait(job_id, timeout=RUN_LIMIT)
    views = clients.cli("jobs", "export-run", run.tasks[0].run_id)["views"]
    assert f"seen in {name}" in views[0]["content"]


@row("Runs", "a deleted run is gone", writes=CLI, reads=SDK)
def a_deleted_run(clients: Clients, name: str) -> None:
    job_id = job(clients, name, "pass")
    run = clients.sdk.jobs.run_now_and_wait(job_id, timeout=RUN_LIMIT)
    clients.cli("jobs", "delete-run", run.run_id)
    with refusal("does not exist"):
        clients.sdk.jobs.get_run(run.run_id)


@row("Jobs", "a job of an unknown kind is refused by name", writes=CLI, reads=CLI)
def an_unknown_kind(clients: Clients, name: str) -> None:
    tasks = [{"task_key": "t", "dbt_task": {"commands": ["dbt run"]}}]
    with refusal("dbt_task"):
        clients.cli("jobs", "create", "--json", json.dumps({"name": name, "tasks": tasks}))
    # The refusal must be the job's, not the route's.
    assert clients.cli("jobs", "create", "--json", json.dumps({"name": name}))["job_id"]


@row("Runs", "a secret that a notebook reads and may not show", writes=CLI, reads=SDK)
def a_secret_in_a_notebook(clients: Clients, name: str) -> None:
    clients.cli("secrets", "create-scope", name)
    clients.cli("secrets", "put-secret", name, "password", "--string-value", "taxi-fares-2016")
    code = f"value = dbutils.secrets.get('{name}', 'password')\ndbutils.notebook.exit(f'{{len(value)}} {{value}}')"
    job_id = job(clients, name, code)
    run = clients.sdk.jobs.run_now_and_wait(job_id, timeout=RUN_LIMIT)
    assert clients.sdk.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result == "15 [REDACTED]"


@row("Runs", "a condition, a loop and a job of jobs", writes=SDK, reads=CLI)
def kinds_of_tasks(clients: Clients, name: str) -> None:
    inner = job(clients, f"{name}-inner", "pass")
    each = notebook(clients, f"{name}-each", "dbutils.notebook.exit(dbutils.widgets.get('zone'))")
    loop = {
        "inputs": "[1, 2, 3]",
        "task": {"task_key": "zone", "notebook_task": {**each, "base_parameters": {"zone": "{{input}}"}}},
    }
    gate = {"op": "GREATER_THAN", "left": "2", "right": "1"}
    after = {"depends_on": [{"task_key": "gate", "outcome": "true"}]}
    never = {"depends_on": [{"task_key": "gate", "outcome": "false"}]}
    tasks = [
        {"task_key": "gate", "condition_task": gate},
        {"task_key": "loop", "for_each_task": loop, **after},
        {"task_key": "jobs", "run_job_task": {"job_id": inner}, **after},
        {"task_key": "skipped", "run_job_task": {"job_id": inner}, **never},
    ]
    job_id = clients.cli("jobs", "create", "--json", json.dumps({"name": name, "tasks": tasks}))["job_id"]
    run = clients.sdk.jobs.run_now_and_wait(job_id, timeout=RUN_LIMIT)
    shown = clients.cli("jobs", "get-run", run.run_id)
    states = {task["task_key"]: task["state"].get("result_state") for task in shown["tasks"]}
    assert states == {"gate": "SUCCESS", "loop": "SUCCESS", "jobs": "SUCCESS", "skipped": "EXCLUDED"}


@row("Jobs", "a schedule, and one that cannot be", writes=CLI, reads=SDK)
def a_schedule(clients: Clients, name: str) -> None:
    schedule = {"quartz_cron_expression": "0 15 10 ? * MON-FRI", "timezone_id": "Europe/Berlin"}
    job_id = job(clients, name, "pass", schedule={**schedule, "pause_status": "PAUSED"})
    kept = clients.sdk.jobs.get(job_id).settings.schedule
    assert (kept.quartz_cron_expression, kept.timezone_id) == tuple(schedule.values())
    with refusal("quartz"):
        job(clients, f"{name}-wrong", "pass", schedule={**schedule, "quartz_cron_expression": "every day"})


@row("Records", "a pipeline", writes=CLI, reads=SDK)
def a_pipeline(clients: Clients, name: str) -> None:
    body = {"name": name, "catalog": "main", "schema": "default", "libraries": [{"notebook": {"path": "/x"}}]}
    pipeline_id = clients.cli("pipelines", "create", "--json", json.dumps(body))["pipeline_id"]
    assert clients.sdk.pipelines.get(pipeline_id).spec.name == name
    clients.cli("pipelines", "delete", pipeline_id)
    assert pipeline_id not in {pipeline.pipeline_id for pipeline in clients.sdk.pipelines.list_pipelines()}
