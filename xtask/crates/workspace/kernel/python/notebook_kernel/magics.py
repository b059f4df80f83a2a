"""The magics of a Databricks notebook that IPython does not have, or has differently."""

from __future__ import annotations

import shlex
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

# Options of `pip install` that name a place or a way, not a package.
PIP_OPTIONS_WITH_VALUE = {"-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f"}


class PipNotSatisfied(RuntimeError):
    """`%pip install` asks for something that this environment does not have."""


class UnsupportedMagic(RuntimeError):
    """The cell is in a language that the local workspace does not run."""

    def __init__(self, magic: str) -> None:
        language = {"scala": "Scala", "r": "R", "sql": "SQL"}.get(magic, magic)
        super().__init__(
            f"%{magic}: the local workspace runs no {language} cells, only Python (with %sh, %md, %fs, %run and %pip). "
            f"Write this cell in Python, or run the notebook on Databricks"
        )


def pip(line: str) -> None:
    """`%pip`: says that what is asked for is there, or what to do where it is not.

    The environment of the local workspace is the project's locked one; a notebook does not change
    it under the feet of the others.
    """
    words = shlex.split(line)
    if not words or words[0] in {"list", "freeze", "show"}:
        for name, version in sorted((d.name, d.version) for d in metadata.distributions()):
            print(f"{name}=={version}")
        return
    if words[0] != "install":
        raise PipNotSatisfied(f"%pip {words[0]} is not available in the local workspace")
    wanted = _requirements(words[1:])
    missing = [text for text, fits in ((text, _satisfied(text)) for text in wanted) if not fits]
    if missing:
        raise PipNotSatisfied(
            f"not in this project's Python environment: {', '.join(missing)}. The local workspace "
            "runs notebooks in the locked environment: add it with `uv add`, then run again"
        )
    print(f"%pip install: already there: {', '.join(wanted) or 'nothing was asked for'}")


def _requirements(words: list[str]) -> list[str]:
    found: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in {"-r", "--requirement"} and words:
            text = _open_requirements(words.pop(0))
            lines = (line.split(" #")[0].strip() for line in text.splitlines())
            for entry in lines:
                if entry and not entry.startswith("#"):
                    # A requirements file may carry hashes and options behind the name.
                    found.extend(_requirements([entry.split(" --")[0].rstrip(" \\")]))
        elif word in PIP_OPTIONS_WITH_VALUE and words:
            words.pop(0)
        elif not word.startswith("-"):
            found.append(word)
    return found


def _open_requirements(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _satisfied(text: str) -> bool:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return False
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        installed = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(installed, prereleases=True)
