"""Spark in a notebook: `spark` starts a session when it is used, `%sql` asks it, `display` shows its frames."""

from __future__ import annotations

from pathlib import Path

from notebook_kernel.request import Request
from notebook_kernel.spark.place import Place, is_installed
from notebook_kernel.spark.session import Spark
from notebook_kernel.spark.settings import Facts


def of_run(request: Request, state: Path) -> Spark | None:
    """The Spark of one run, not started yet; None where pyspark is not installed. `state` is the workspace's folder."""
    if not is_installed():
        return None
    who = request.identity
    place = Place.of_environment(state / "spark")
    facts = Facts(who.host, who.workspace_id, who.user, who.job_id, who.job_name, who.run_id, who.task_key)
    return Spark(place, facts, request.folder / "spark", request.roots)
