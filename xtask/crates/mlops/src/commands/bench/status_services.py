"""Measures `xtask status` against services that answer in a given time: prints seconds, round trips, or megabytes.

    python status_services.py XTASK PROJECT FOLDER seconds|round-trips|megabytes

PROJECT is the repository, whose xtask.toml is taken; FOLDER is empty. The services are stand-ins with
10,000 model versions, 10,000 MLflow runs and 300 checks: what is measured is the command.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

VERSIONS = 10_000
DELAY = 0.2
SHA = "a" * 40


class Services:
    """What both services know, and how late they are."""

    def __init__(self, checks: int, fails: bool) -> None:
        """Starts them, not late.

        Args:
            checks: how many checks the commit has.
            fails: whether one of them failed, so that its log is read.
        """
        self.delay = 0.001
        self.checks = [self.check(number, fails and number == 0) for number in range(checks)]
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def check(number: int, failed: bool) -> dict:
        """A check as GraphQL shows it."""
        suite = {"app": {"slug": "github-actions"}, "workflowRun": {"databaseId": 1, "event": "push", "workflow": None}}
        return {
            "__typename": "CheckRun", "databaseId": number + 1, "name": f"part {number:03}", "status": "COMPLETED",
            "conclusion": "FAILURE" if failed else "SUCCESS", "startedAt": "2026-11-24T09:00:00Z",
            "completedAt": "2026-11-24T09:01:00Z", "detailsUrl": None, "title": None, "summary": "x" * 500,
            "isRequired": True, "checkSuite": suite,
        }  # fmt: skip

    def graphql(self, variables: dict) -> dict:
        """The answer to the one query of `status`."""
        start = int(variables.get("cursor") or 0)
        page = self.checks[start : start + 100]
        more = start + 100 < len(self.checks)
        contexts = {
            "totalCount": len(self.checks),
            "pageInfo": {"hasNextPage": more, "endCursor": str(start + 100)},
            "nodes": page,
        }
        commit = {"oid": SHA, "statusCheckRollup": {"contexts": contexts}}
        none = {"nodes": [], "totalCount": 0}
        pull = {
            "number": 1, "url": self.url, "title": "A change", "state": "OPEN", "isDraft": False,
            "isCrossRepository": False, "headRefOid": SHA, "baseRefName": "main",
            "headRepositoryOwner": {"login": "acme"}, "author": None, "mergeable": "MERGEABLE",
            "mergeStateStatus": "CLEAN", "reviewDecision": None, "isInMergeQueue": False, "mergeQueueEntry": None,
            "autoMergeRequest": None, "reviewRequests": none, "latestReviews": none, "reviewThreads": none,
            "baseRef": None, "commits": {"nodes": [{"commit": commit}]},
        }  # fmt: skip
        repository = {
            "nameWithOwner": "acme/fares", "url": self.url, "isFork": False, "parent": None,
            "defaultBranchRef": {"name": "main"}, "ref": {"target": commit, "compare": {"aheadBy": 0}},
            "pullRequests": {"nodes": [pull]},
        }  # fmt: skip
        return {"data": {"rateLimit": None, "repository": repository}}

    def workspace(self, path: str, query: dict) -> dict | None:
        """The answers of a workspace; None for what it does not know."""
        if path == "/api/2.0/workspace/export":
            name = query["path"][0].rsplit("/", 1)[-1]
            ids = {
                "jobs.model_training_job": "1", "jobs.batch_inference_job": "2", "experiments.e": "3",
                "registered_models.mlops_stacks_model": "c.s.m",
            }  # fmt: skip
            return {
                "metadata.json": {"config": {"bundle": {"git": {"commit": SHA, "branch": "main"}}}},
                "deployment.json": {"timestamp": "2026-11-24T09:00:00Z", "seq": 1},
                "resources.json": {"state": {f"resources.{key}": {"__id__": known} for key, known in ids.items()}},
            }.get(name)
        if path.endswith("/registered-models/alias"):
            tags = [{"key": "mlops_verdict", "value": "passed"}, {"key": "mlops_verdict_for", "value": "c.s.m/1"}]
            # The champion's run is older than the newest ones: it takes a request of its own.
            return {"model_version": {"version": "1", "run_id": "old", "creation_timestamp": 1, "tags": tags}}
        state = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}
        job_run = {"run_id": 7, "start_time": 1, "run_page_url": self.url, "state": state}
        versions = {"model_versions": [{"version": str(n), "run_id": "x", "tags": []} for n in range(VERSIONS)]}
        return {
            "/api/2.0/mlflow/runs/search": {"runs": [self.run(f"{number:032x}") for number in range(100)]},
            "/api/2.0/mlflow/runs/get": {"run": self.run("old")},
            "/api/2.2/jobs/runs/list": {"runs": [job_run] * 25},
            "/api/2.0/mlflow/unity-catalog/model-versions/search": versions,
            "/api/2.1/unity-catalog/models/c.s.m/versions": versions,
        }.get(path)

    @staticmethod
    def run(name: str) -> dict:
        """An MLflow run with as many metrics and tags as ours have."""
        metrics = [{"key": f"metric_{n}", "value": n / 7} for n in range(15)] + [{"key": "holdout_rmse", "value": 2.2}]
        tags = [{"key": f"mlops_tag_{n}", "value": "y" * 64} for n in range(15)]
        info = {"run_id": name, "experiment_id": "3", "status": "FINISHED", "start_time": 1}
        return {"info": info, "data": {"metrics": metrics, "tags": tags, "params": []}}

    def handler(services) -> type:  # noqa: N805
        """Speaks HTTP for both services."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                time.sleep(services.delay)
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                url = urlsplit(self.path)
                if url.path.endswith("/logs"):
                    return self.reply(302, b"", ("location", f"{services.url}/storage"))
                if url.path == "/storage":
                    return self.reply(
                        200, b"##[group]Run x\n##[endgroup]\n##[error]Process completed with exit code 1.\n"
                    )
                if url.path == "/api/graphql":
                    found = services.graphql(json.loads(body)["variables"])
                else:
                    found = services.workspace(url.path, parse_qs(url.query))
                missing = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"no {url.path}"}
                self.reply(200 if found else 404, json.dumps(found or missing).encode())
                return None

            do_GET = do_POST = answer  # noqa: N815

            def reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
                self.send_response(status)
                for name, value in (("content-type", "application/json"), *headers):
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler


def lay(project: Path, folder: Path, services: Services) -> dict[str, str]:
    """A clone with one target on the services; returns the environment of the command."""
    shutil.copy(project / "xtask.toml", folder / "xtask.toml")
    (folder / "databricks.yml").write_text("bundle: {name: b}\ntargets:\n  test: {workspace: {profile: mlops-local}}\n")
    state = folder / ".xtask/workspace"
    state.mkdir(parents=True)
    (state / "token").write_text("none")
    (state / "server.json").write_text(json.dumps({"url": services.url, "started_at": "2026-11-24T09:00:00Z"}))
    # Asked once where the deployment keeps its state, which is remembered, and each time for its plan: how long the
    # real CLI takes for that is not measured here.
    cli = folder / "databricks"
    cli.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Databricks CLI v1.10.0" && exit\n'
        'echo \'{"workspace": {"state_path": "/state"}, "resources": {}, "plan": {}}\'\n'
    )
    cli.chmod(0o755)
    quiet = {"cwd": folder, "check": True, "capture_output": True}
    identity = ["-c", "user.name=b", "-c", "user.email=b@example.com"]
    for command in (
        ["init", "-q", "-b", "change"],
        ["add", "xtask.toml", "databricks.yml"],
        [*identity, "commit", "-qm", "A project"],
        ["remote", "add", "origin", f"{services.url}/acme/fares.git"],
    ):
        subprocess.run(["git", *command], **quiet)  # noqa: PLW1510
    return os.environ | {"GH_ENTERPRISE_TOKEN": "none", "XTASK_DATABRICKS_CLI": str(cli), "CI": "", "NO_COLOR": "1"}


def look(xtask: str, folder: Path, env: dict[str, str]) -> float:
    """The wall time of one look, with nothing kept of logs."""
    shutil.rmtree(folder / ".xtask/cache/check-logs", ignore_errors=True)
    started = time.monotonic()
    said = subprocess.run([xtask, "status", "--json"], cwd=folder, env=env, check=True, capture_output=True, text=True)
    took = time.monotonic() - started
    facts = json.loads(said.stdout)
    environment = facts["environments"][0]
    unknown = [*facts["unknown"], *environment["unknown"]]
    if unknown or environment["champion"]["metrics"]["holdout_rmse"] != 2.2 or not facts["github"]["checks"]:
        sys.exit(f"status did not see everything: {unknown}")
    return took


def main() -> None:
    """Measures what the command line asks for."""
    xtask, project, folder, what = sys.argv[1:]
    services = Services(checks=50 if what == "round-trips" else 300, fails=what == "round-trips")
    env = lay(Path(project), Path(folder), services)
    look(xtask, Path(folder), env)
    quick = statistics.median(look(xtask, Path(folder), env) for _ in range(5))
    if what == "seconds":
        value = quick
    elif what == "megabytes":
        # Of all children the largest; git and the stand-in of the CLI are smaller.
        value = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    else:
        services.delay += DELAY
        value = (statistics.median(look(xtask, Path(folder), env) for _ in range(5)) - quick) / DELAY
    sys.stdout.write(f"{value}\n")


main()
