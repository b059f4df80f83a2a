"""`%pip`: installs into an overlay of the run's own, over the project's environment and never into it."""

from __future__ import annotations

import sys
from importlib import metadata

from notebook_kernel import requirements
from notebook_kernel.overlay import InstallFailed, Overlay
from notebook_kernel.paths import PathMap
from notebook_kernel.words import words as words_of

RESTART_NOTE = (
    "Note: you may need to restart the kernel using %restart_python or dbutils.library.restartPython() to use updated "
    "packages."
)


class Pip:
    """The magic `%pip` (and `%uv pip`) of one notebook."""

    def __init__(self, overlay: Overlay, paths: PathMap) -> None:
        self._overlay = overlay
        self._paths = paths

    def __call__(self, line: str) -> None:
        """Runs one line of `%pip`."""
        words = words_of(line)
        command, arguments = (words[0], words[1:]) if words else ("list", [])
        if command == "install":
            self._install(arguments)
        elif command in {"list", "freeze"}:
            for name, version in sorted((found.name, found.version) for found in metadata.distributions()):
                print(f"{name}=={version}")
        elif command == "show":
            _show([word for word in arguments if not word.startswith("-")])
        else:
            raise InstallFailed(
                f"%pip {command}: the local workspace has %pip install, list, freeze and show. A run's packages go "
                "with the run; nothing has to be uninstalled"
            )

    def uv(self, line: str) -> None:
        """`%uv pip install …`."""
        words = line.split(maxsplit=1)
        if not words or words[0] != "pip":
            raise InstallFailed("%uv: the local workspace supports only %uv pip install, list, freeze and show")
        self(words[1] if len(words) > 1 else "")

    def _install(self, words: list[str]) -> None:
        wanted = requirements.read(words, self._paths)
        missing = wanted.missing()
        for text in wanted.requirements:
            if text not in missing:
                print(f"Requirement already satisfied: {text}")
        if not missing and not wanted.editable:
            return
        before = _versions()
        self._overlay.install(wanted.arguments(missing), lambda line: print(self._paths.virtual_text(line)))
        stale = _loaded(changed(before, _versions()))
        if stale:
            print(f"Already imported with another version: {', '.join(stale)}", file=sys.stderr)
        print(RESTART_NOTE)


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Names of distributions that were there and are another version now."""
    return {name for name, version in after.items() if before.get(name, version) != version}


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        # What comes first on the path is what is imported.
        found.setdefault(distribution.name, distribution.version)
    return found


def _loaded(distributions: set[str]) -> list[str]:
    if not distributions:
        return []
    modules = metadata.packages_distributions()
    return sorted(name for name, owners in modules.items() if distributions & set(owners) and name in sys.modules)


def _show(names: list[str]) -> None:
    for name in names:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            print(f"WARNING: Package(s) not found: {name}", file=sys.stderr)
            continue
        print(f"Name: {found.name}\nVersion: {found.version}\nSummary: {found.metadata['Summary']}")
        print(f"Location: {found.locate_file('')}\nRequires: {', '.join(found.requires or [])}")
