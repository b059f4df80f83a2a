"""Spark in a notebook: `spark` starts a session when it is used, `%sql` asks it, `display` shows its frames."""

from __future__ import annotations

from pathlib import Path

from notebook_kernel.request import Request
from notebook_kernel.spark.place import Place, is_installed
from notebook_kernel.spark.session import Spark


def of_run(request: Request, state: Path) -> Spark | None:
    """The Spark of one run, not started yet; None where pyspark is not installed. `state` is the workspace's folder."""
    if not is_installed():
        return None
    who = request.identity
    place = Place.of_environment(state / "spark")
    return Spark(place, who.host, f"{who.job_name} {who.task_key}", request.folder / "spark", request.roots)
