"""The real clients, pointed at one workspace: the Databricks CLI, databricks-sdk and MLflow."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

CLI = "Databricks CLI"
SDK = "databricks-sdk"
MLFLOW = "MLflow"


class Refused(Exception):
    """A command of the CLI that failed, with what it said."""


@contextmanager
def refusal(words: str) -> Iterator[None]:
    """What is called within must be refused by the service, with these words among its reasons."""
    from databricks.sdk.errors import DatabricksError

    try:
        yield
    except (Refused, DatabricksError) as error:
        if words not in str(error):
            raise
    else:
        raise AssertionError(f"nothing was refused with {words!r}")


class Clients:
    """One of each, made when it is first used."""

    def __init__(self, cli: Path, folder: Path, url: str, token: str) -> None:
        self._cli = cli
        self.folder = folder
        settings = {
            "DATABRICKS_HOST": url,
            "DATABRICKS_TOKEN": token,
            "DATABRICKS_AUTH_TYPE": "pat",
            "DATABRICKS_CONFIG_FILE": os.devnull,
            # Of its own: what one client remembers must not hide what the next one misses.
            "DATABRICKS_CACHE_DIR": tempfile.mkdtemp(prefix="cache-", dir=folder),
            "DATABRICKS_CLI_DISABLE_TELEMETRY": "1",
            "DATABRICKS_CLI_DISABLE_UPDATE_CHECK": "1",
            "DATABRICKS_RATE_LIMIT": "200",
            "MLFLOW_TRACKING_URI": "databricks",
            "MLFLOW_REGISTRY_URI": "databricks-uc",
            "MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC": "true",
            # A refused call is an expected result: do not retry it.
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        }
        os.environ.update(settings)

    def cli(self, *args: object, cwd: Path | None = None, stdin: str | None = None) -> Any:
        """What a command of the CLI answers with `--output json`, parsed; text where it is no JSON."""
        command = [str(self._cli), *map(str, args), "--output", "json"]
        done = subprocess.run(command, cwd=cwd or self.folder, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Refused(f"databricks {' '.join(map(str, args))}: {done.stderr.strip() or done.stdout.strip()}")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return done.stdout

    @cached_property
    def sdk(self) -> Any:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.config import Config

        return WorkspaceClient(config=Config(retry_timeout_seconds=5))

    @cached_property
    def mlflow(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient()

    @cached_property
    def me(self) -> str:
        return self.sdk.current_user.me().user_name

    @property
    def home(self) -> str:
        return f"/Users/{self.me}"
