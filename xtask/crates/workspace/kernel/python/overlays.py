"""Installs packages for a notebook into a folder of their own, an overlay over the project's environment.

`python overlays.py FOLDER` reads one JSON object from standard input: `arguments` for `pip install`, and `base`, the
overlays that are in use already, newest first. It prints what pip prints, and at last one JSON object: `paths` (the
new overlay in front of those), or `error`.

An overlay is a virtual environment without pip that sees those below it, so that pip installs only what is missing.
It is kept by a hash of what was asked for, and used again.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import index_settings

COMPLETE = "complete"
# Overlays that were not used for this long are removed.
KEPT_DAYS = 30
UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish a new connection|name resolution|ProxyError|ConnectTimeout|ReadTimeout"
)
NOT_FOUND = re.compile(r"No matching distribution found for (.+)")
CREDENTIALS = re.compile(r"://[^/@\s]+@")
# pip itself, where the project's own environment lacks it.
KERNEL_PACKAGES = os.environ.get("XTASK_KERNEL_PACKAGES", "")
UPGRADES = {"-U", "--upgrade"}


class InstallFailed(Exception):
    """pip could not install what was asked for; the text says why."""


def main(folder: Path) -> None:
    """Reads the request, answers it."""
    request = json.loads(sys.stdin.readline())
    try:
        paths = install(folder, request["arguments"], request["base"])
        answer: dict[str, object] = {"paths": paths}
    except (InstallFailed, OSError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)


def install(folder: Path, arguments: list[str], base: list[str]) -> list[str]:
    """The overlays to use from now on, newest first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = _key(arguments, base)
    overlay = folder / key
    # A concurrent request for the same overlay waits, and then uses it. The lock ends with this process.
    with open(folder / f"{key}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (overlay / COMPLETE).exists():
            _say(f"Using cached packages for: {' '.join(arguments)}")
        else:
            shutil.rmtree(overlay, ignore_errors=True)
            _make(overlay, base)
            try:
                _pip_install(overlay, arguments)
            except InstallFailed:
                shutil.rmtree(overlay, ignore_errors=True)
                raise
        (overlay / COMPLETE).touch()
    _remove_old(folder)
    return [str(_site_packages(overlay)), *base]


def _key(arguments: list[str], base: list[str]) -> str:
    digest = hashlib.sha256()
    for part in (sys.version, *_installed(), KERNEL_PACKAGES, *base, "", *arguments):
        digest.update(part.encode() + b"\0")
    for file in (Path(word) for word in arguments):
        if file.is_file():
            digest.update(file.read_bytes())
    if UPGRADES.intersection(arguments):
        # The newest of today may not be that of tomorrow.
        digest.update(datetime.datetime.now(tz=datetime.UTC).date().isoformat().encode())
    return digest.hexdigest()[:24]


def _installed() -> Iterator[str]:
    """The project's environment by what it holds: after `uv sync` other things may be missing in it."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    yield from sorted(f"{found.name}=={found.version}" for found in metadata.distributions(path=list(places)))


def _make(overlay: Path, base: list[str]) -> None:
    venv.EnvBuilder(symlinks=True, with_pip=False).create(overlay)
    below = [*base, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    below += [KERNEL_PACKAGES] if KERNEL_PACKAGES else []
    lines = [f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(below)]
    (_site_packages(overlay) / "below.pth").write_text("\n".join(lines) + "\n")


def _site_packages(overlay: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return overlay / "lib" / version / "site-packages"


def _pip_install(overlay: Path, arguments: list[str]) -> None:
    command = [str(overlay / "bin/python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    process = subprocess.Popen(
        [*command, "--progress-bar", "off", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=index_settings.of_process(),
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(CREDENTIALS.sub("://****@", line.rstrip("\n")))
        if not said[-1].lstrip().startswith(("Not uninstalling", "Can't uninstall", "Attempting uninstall")):
            _say(said[-1])
    if process.wait() != 0:
        raise InstallFailed(_reason(said, arguments))


def _reason(said: list[str], arguments: list[str]) -> str:
    text = "\n".join(said)
    wanted = " ".join(word for word in arguments if not word.startswith("-"))
    if "No module named pip" in text:
        return "this Python environment has no pip: run `cargo xtask setup` to bring it up to date"
    if UNREACHABLE.search(text):
        return (
            f"cannot install {wanted}: the package index is not reachable. For offline use, add the "
            "package to the project while online (`uv add`), or use a wheel on a volume"
        )
    if missing := NOT_FOUND.search(text):
        return f"cannot install {wanted}: no package index has {missing.group(1).strip()} for this Python"
    errors = [line for line in said if line.startswith("ERROR")]
    return f"cannot install {wanted}: {errors[-1].removeprefix('ERROR: ') if errors else 'pip failed'}"


def _remove_old(folder: Path) -> None:
    oldest = datetime.datetime.now().timestamp() - KEPT_DAYS * 24 * 60 * 60
    for mark in folder.glob(f"*/{COMPLETE}"):
        if mark.stat().st_mtime < oldest:
            shutil.rmtree(mark.parent, ignore_errors=True)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    os.umask(0o077)
    main(Path(sys.argv[1]))
