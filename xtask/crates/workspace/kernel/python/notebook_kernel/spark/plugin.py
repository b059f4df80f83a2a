"""What is made once for each environment: classes that show the workspace to the JVM, and an archive for a quick start.

Both fit one pyspark and one Java, so they are kept with the environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from notebook_kernel.spark import delta
from notebook_kernel.spark.place import NoSpark, version

SOURCES = sorted(Path(__file__).parent.glob("*.scala"))
DELTA_SOURCE = "DeltaTables.scala"
WARM_UP = Path(__file__).parent / "warm_up.py"
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xlog:cds=off"
"""A short job is over before a better compiler or collector pays; an archive that does not fit is passed over."""
WARM_UP_SECONDS = 300


def jar() -> Path:
    """Where the compiled classes are, or will be."""
    return _folder() / f"workspace-{_digest(version().encode())}.jar"


def class_path() -> str:
    """What the JVM finds besides Spark's own classes."""
    return os.pathsep.join(map(str, [jar(), *delta.jars()]))


def archive() -> Path:
    """Where the archive of loaded classes is, or will be; an empty file where this Java makes none."""
    java = Path(_java()).resolve()
    changed = java.stat().st_mtime_ns if java.exists() else 0
    facts = f"{version()} {java} {changed}"
    return _folder() / f"classes-{_digest(facts.encode())}.jsa"


def prepare() -> None:
    """Makes what is not there yet."""
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if not jar().exists():
        print("Spark: compiling the local workspace's catalog, once", file=sys.stderr)
        _compile(jar())
    if not archive().exists():
        print("Spark: creating a class archive for faster starts, once", file=sys.stderr)
        _make_archive(archive())


def _compile(target: Path) -> None:
    """With the Scala compiler that pyspark brings along."""
    import pyspark

    unfinished = target.with_name(f"{os.getpid()}-{target.name}")
    with_delta = delta.jars()
    sources = [source for source in SOURCES if with_delta or source.name != DELTA_SOURCE]
    classpath = os.pathsep.join([f"{Path(pyspark.__file__).parent}/jars/*", *map(str, with_delta)])
    command = [_java(), *QUICK_START.split(), "-cp", classpath, "scala.tools.nsc.Main", "-usejavacp"]
    command += ["-d", str(unfinished), *map(str, sources)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = f"{done.stdout}{done.stderr}".strip()
        raise NoSpark(f"the local workspace's catalog is not compatible with this Spark ({version()}):\n{said}")
    os.replace(unfinished, target)


def _make_archive(target: Path) -> None:
    """By a session that does what most do, and leaves the classes that it loaded. Without it all works, but slower."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "classes.jsa")
        settings = {"spark.driver.extraClassPath": class_path(), "spark.local.dir": folder, "spark.ui.enabled": "false"}
        settings |= delta.SETTINGS if delta.jars() else {}
        settings["spark.driver.extraJavaOptions"] = f"{QUICK_START} -XX:ArchiveClassesAtExit={made}"
        words = [word for key, value in settings.items() for word in ("--conf", f'"{key}={value}"')]
        environment = os.environ | {
            "PYSPARK_SUBMIT_ARGS": " ".join([*words, "--master", "local[1]", "pyspark-shell"]),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        command = [sys.executable, str(WARM_UP), folder]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            subprocess.run(command, env=environment, timeout=WARM_UP_SECONDS, check=False, **quiet)
        except subprocess.TimeoutExpired:
            made.unlink(missing_ok=True)
        unfinished = target.with_name(f"{os.getpid()}-{target.name}")
        if made.exists():
            shutil.move(made, unfinished)
        else:
            unfinished.touch()
        os.replace(unfinished, target)


def _folder() -> Path:
    return Path(sys.prefix, "var", "xtask-spark")


def _digest(facts: bytes) -> str:
    digest = hashlib.sha256(facts)
    digest.update(os.pathsep.join(map(str, delta.jars())).encode())
    for source in [*SOURCES, WARM_UP]:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else shutil.which("java") or "java"
