"""The bundle, the lock file and the notebooks agree with one another."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from mlops_stacks.columns import PROBLEM

ROOT = Path(__file__).resolve().parents[2]
JOBS = ("training-job.yml", "batch-inference-job.yml")
NOTEBOOKS = sorted(path for path in (ROOT / "notebooks").glob("*.py"))
SECRETS = re.compile(
    r"dapi[0-9a-f]{32}|gh[pousr]_\w{20,}|AKIA[0-9A-Z]{16}|-----BEGIN|eyJ[\w-]{20,}\.|://[^/\s:]+:[^/\s@]+@"
)


def job(file_name: str) -> dict:
    with open(ROOT / "resources" / file_name, encoding="utf-8") as file:
        (found,) = yaml.safe_load(file)["resources"]["jobs"].values()
    return found


def locked_versions() -> dict[str, str]:
    with open(ROOT / "uv.lock", "rb") as file:
        return {package["name"]: package.get("version", "") for package in tomllib.load(file)["package"]}


def widgets(text: str) -> set[str]:
    """The names of the widgets that a notebook defines, those of its loop included."""
    names = set(re.findall(r'widgets\.text\(\s*"(\w+)"', text))
    for group in re.findall(r"for name in \(([^)]*)\):\n    dbutils\.widgets\.text\(name", text):
        names |= set(re.findall(r'"(\w+)"', group))
    return names


@pytest.mark.parametrize("file_name", JOBS)
def test_job_environments_pin_the_locked_versions(file_name):
    with open(ROOT / "pyproject.toml", "rb") as file:
        declared = tomllib.load(file)["project"]["dependencies"]
    versions = locked_versions()
    expected = sorted(f"{name}=={versions[name]}" for name in (re.match(r"[\w-]+", line)[0] for line in declared))
    (environment,) = job(file_name)["environments"]
    assert environment["spec"]["dependencies"] == expected
    assert {task["environment_key"] for task in job(file_name)["tasks"]} == {environment["environment_key"]}


def test_lock_file_names_public_hosts_only():
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


@pytest.mark.parametrize("file_name", JOBS)
def test_every_widget_has_a_value_in_the_job_and_every_parameter_a_reader(file_name):
    settings = job(file_name)
    given = {parameter["name"] for parameter in settings["parameters"]}
    read = set()
    for task in settings["tasks"]:
        source = ROOT / "resources" / task["notebook_task"]["notebook_path"]
        wanted = widgets(source.read_text())
        assert wanted <= given | task["notebook_task"]["base_parameters"].keys(), task["task_key"]
        read |= wanted
    assert given <= read


def test_the_command_that_trains_again_names_the_training_job():
    with open(ROOT / "resources" / "training-job.yml", encoding="utf-8") as file:
        (key,) = yaml.safe_load(file)["resources"]["jobs"]
    (command,) = [p["default"] for p in job("batch-inference-job.yml")["parameters"] if p["name"] == "retrain_command"]
    assert command == f"cargo xtask run {key} --target ${{bundle.target}}"


def test_training_job_runs_its_tasks_one_after_the_other():
    order = {task["task_key"]: [d["task_key"] for d in task.get("depends_on", [])] for task in job(JOBS[0])["tasks"]}
    assert order == {"Train": [], "ModelValidation": ["Train"], "ModelDeployment": ["ModelValidation"]}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_databricks_source_without_output_or_secrets(path):
    text = path.read_text()
    assert text.startswith("# Databricks notebook source\n# MAGIC %md\n# MAGIC # ")
    assert not SECRETS.search(text)
    for cell in text.split("# COMMAND ----------"):
        magic = [line for line in cell.splitlines() if line.startswith("# MAGIC")]
        if not magic:
            compile(cell, path.name, "exec")
        else:
            assert all(line.startswith("#") or not line for line in cell.splitlines()), "code in a text cell"


def test_the_metrics_of_xtask_toml_are_those_that_training_logs():
    with open(ROOT / "xtask.toml", "rb") as file:
        named = tomllib.load(file)["model"].get("metrics", [])
    logged = {f"holdout_{metric.name}" for metric in PROBLEM.metrics} | {f"train_{PROBLEM.primary}"}
    assert set(named) <= logged, "metrics in xtask.toml names what no model of this problem has"


def test_secrets_would_be_found():
    assert SECRETS.search("token = 'dapi" + "0" * 32 + "'")
    assert SECRETS.search("https://me:" + "hunter2@example.com")
