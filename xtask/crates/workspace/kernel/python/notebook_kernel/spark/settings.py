"""The settings of a session. They stand in the environment, so that sessions which libraries build have them too."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from notebook_kernel.context import CLUSTER_ID
from notebook_kernel.spark import delta
from notebook_kernel.spark.place import Place
from notebook_kernel.spark.plugin import QUICK_START, archive, class_path, jar

CHECKPOINTS = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"


@dataclass(frozen=True)
class Facts:
    """What a session tells about the run it belongs to."""

    host: str
    workspace_id: str
    user: str
    job_id: str
    job_name: str
    run_id: str
    task_key: str

    def settings(self) -> dict[str, str]:
        """The settings in which Databricks tells it; code reads them with `spark.conf.get`."""
        tags = {"Vendor": "Databricks", "ClusterId": CLUSTER_ID, "JobId": self.job_id, "RunName": self.job_name}
        cluster = {
            "clusterId": CLUSTER_ID,
            "clusterName": CLUSTER_ID,
            "clusterOwnerOrgId": self.workspace_id,
            "orgId": self.workspace_id,
            "clusterAllTags": json.dumps([{"key": key, "value": value} for key, value in tags.items()]),
        }
        return {
            "spark.databricks.workspaceUrl": self.host.split("://", 1)[-1],
            "spark.databricks.job.id": self.job_id,
            "spark.databricks.job.runId": self.run_id,
            **{f"spark.databricks.clusterUsageTags.{name}": value for name, value in cluster.items()},
        }


def apply(place: Place, facts: Facts, scratch: Path, roots: dict[str, str]) -> None:
    """Puts the settings where Spark looks for them when a JVM starts.

    `scratch` is a folder of this run's own, `roots` says which real folders stand behind /Volumes and /Workspace.
    """
    if place.remote:
        os.environ["SPARK_REMOTE"] = place.remote
        return
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    if place.is_here or _is_loopback(place.master):
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    values = _common(place, facts, scratch)
    if place.is_here:
        # Who `current_user()` is.
        os.environ["SPARK_USER"] = facts.user
        values |= _on_this_machine(roots)
    words = [word for key, value in values.items() for word in ("--conf", f"{key}={value}")]
    os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*words, "pyspark-shell"])


def _common(place: Place, facts: Facts, scratch: Path) -> dict[str, str]:
    return {
        **facts.settings(),
        "spark.master": place.master,
        "spark.app.name": f"{facts.job_name} {facts.task_key}",
        "spark.driver.extraJavaOptions": QUICK_START,
        "spark.local.dir": str(scratch),
        # Databricks' own values.
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        # A job on a laptop has no one who looks at these.
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Tables without a catalog end with the session that made them.
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
    }


def _on_this_machine(roots: dict[str, str]) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    values = {
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        # Driver and workers in one: a quarter of the machine's memory at most, of which it takes what it needs.
        "spark.driver.memory": f"{max(1024, memory // 4 >> 20)}m",
    }
    if jar().exists():
        if archive().exists() and archive().stat().st_size:
            values["spark.driver.extraJavaOptions"] = f"{QUICK_START} -XX:SharedArchiveFile={archive()}"
        values["spark.driver.extraClassPath"] = class_path()
        values["spark.hadoop.fs.file.impl"] = "xtask.spark.WorkspaceFileSystem"
        values["spark.hadoop.fs.dbfs.impl"] = "xtask.spark.DbfsFileSystem"
        values["spark.hadoop.xtask.roots"] = "\n".join(f"{virtual}={real}" for virtual, real in roots.items())
        # The default goes past our file systems, and would look for /Volumes on this machine.
        values["spark.sql.streaming.checkpointFileManagerClass"] = CHECKPOINTS
        values |= delta.SETTINGS if delta.jars() else {}
    return values


def _is_loopback(master: str) -> bool:
    host = urlsplit(master.partition(",")[0]).hostname or ""
    return host == "localhost" or host.startswith("127.")
