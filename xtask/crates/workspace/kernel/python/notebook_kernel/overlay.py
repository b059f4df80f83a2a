"""The overlays of this process: packages that `%pip` or the job's environment put over the project's."""

from __future__ import annotations

import importlib
import json
import os
import site
import sys
import sysconfig
from collections.abc import Callable

from notebook_kernel import rest

# pip may have to build what it installs.
LIMIT_SECONDS = 3600


class InstallFailed(RuntimeError):
    """Packages could not be installed; the text says why."""


class Overlay:
    """What is in use, and the way to more: the workspace installs, as it knows where the user's packages come from."""

    def __init__(self, host: str, paths: list[str]) -> None:
        self._url = f"{host}/kernel/v1/overlays"
        self.paths: list[str] = []
        if paths:
            self._use(paths)

    def install(self, arguments: list[str], say: Callable[[str], None]) -> None:
        """Installs with these arguments of `pip install`; what follows in this process can import it."""
        body = json.dumps({"arguments": arguments, "base": self.paths}).encode()
        answer: dict[str, object] = {}
        try:
            with rest.request("POST", self._url, body, LIMIT_SECONDS) as reply:
                for data in reply:
                    line = data.decode("utf-8", errors="replace").rstrip("\n")
                    answer = _answer(line)
                    if not answer:
                        say(line)
        except OSError as error:
            raise InstallFailed(f"cannot reach the workspace to install packages: {error}") from None
        if "paths" not in answer:
            raise InstallFailed(str(answer.get("error", "the installation failed; see the workspace's log")))
        self._use(answer["paths"])  # type: ignore[arg-type]

    def _use(self, paths: list[str]) -> None:
        new = [path for path in paths if path not in self.paths]
        self.paths = list(paths)
        for path in reversed(new):
            # Before the project's packages, behind Python's own; `.pth` files in it count.
            site.addsitedir(path)
            sys.path[:] = [entry for entry in sys.path if entry != path]
            sys.path.insert(self._place(), path)
        # Programs that the notebook starts see them, too.
        os.environ["PYTHONPATH"] = os.pathsep.join(self.paths)
        importlib.invalidate_caches()

    def _place(self) -> int:
        above = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *self.paths}
        return min((number for number, entry in enumerate(sys.path) if entry in above), default=len(sys.path))


def _answer(line: str) -> dict[str, object]:
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.keys() & {"paths", "error"} else {}
