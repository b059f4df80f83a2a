"""What `%pip install` and job environments ask for, and what of it is there already."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from notebook_kernel.paths import PathMap
from notebook_kernel.words import lines as lines_of
from notebook_kernel.words import words as words_of

# Options whose value is another word.
WITH_VALUE = {
    "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target",
    "--platform", "--python-version", "--only-binary", "--no-binary", "--prefix", "--root", "--src", "--trusted-host",
    "--timeout", "--retries", "--proxy", "--cert", "--log", "--progress-bar", "--config-settings",
}  # fmt: skip
FILES = {"-c", "--constraint", "-f", "--find-links"}
FORCING = {"-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed"}
# The overlay decides where packages go.
PLACES = {"-t", "--target", "--prefix", "--root", "--user", "--src"}


class NotUnderstood(ValueError):
    """The words are no arguments of `pip install` that the local workspace can follow."""


@dataclass
class Wanted:
    """Requirements, and the options that came with them; paths are real ones."""

    requirements: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    editable: list[str] = field(default_factory=list)

    @property
    def is_forced(self) -> bool:
        """Whether pip has work to do, whatever is there."""
        return bool(self.editable) or bool(FORCING.intersection(self.options))

    def missing(self) -> list[str]:
        """The requirements that this process does not see satisfied, or all where they are to be installed anew."""
        if self.is_forced:
            return list(self.requirements)
        return [text for text in self.requirements if not is_satisfied(text)]

    def arguments(self, requirements: list[str]) -> list[str]:
        """Arguments of `pip install` for some of the requirements."""
        editable = [word for path in self.editable for word in ("-e", path)]
        return [*self.options, *editable, *requirements]


def read(words: list[str], paths: PathMap, folder: str | None = None) -> Wanted:
    """Reads arguments of `pip install`. Relative paths count from `folder`, else from the current one."""
    wanted = Wanted()
    _read(words, paths, folder or os.getcwd(), wanted)
    return wanted


def read_line(line: str, paths: PathMap, folder: str) -> Wanted:
    """Reads one line of a requirements file, which is what a job's environment lists."""
    return read([word for part in _split(line) for word in words_of(part)], paths, folder)


def _read(words: list[str], paths: PathMap, folder: str, wanted: Wanted) -> None:
    rest = iter(words)
    for word in rest:
        name, separator, attached = word.partition("=")
        value = attached if separator and word.startswith("--") else None
        if name in PLACES:
            raise NotUnderstood(f"{name}: packages are installed into the run's own folder; remove this option")
        if name in {"-r", "--requirement"}:
            file = _real(value or _next(rest, name), paths, folder)
            for line in _lines(file):
                _read(words_of(line), paths, os.path.dirname(file), wanted)
        elif name in {"-e", "--editable"}:
            wanted.editable.append(_real(value or _next(rest, name), paths, folder))
        elif name == "--hash":
            continue
        elif name in WITH_VALUE:
            value = value if value is not None else _next(rest, name)
            wanted.options += [name, _real(value, paths, folder) if name in FILES else value]
        elif word.startswith("-"):
            wanted.options.append(word)
        else:
            wanted.requirements.append(_requirement(word, paths, folder))


def _next(words: Iterator[str], option: str) -> str:
    try:
        return next(words)
    except StopIteration:
        raise NotUnderstood(f"{option} needs a value") from None


def _lines(file: str) -> Iterator[str]:
    text = Path(file).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in lines_of(text):
        yield from _split(line)


def _split(line: str) -> Iterator[str]:
    """A line as words of a shell, without its hashes and comments; nothing for an empty one."""
    bare = line.partition(" #")[0].partition(" --hash")[0].strip()
    if bare.startswith("-"):
        yield bare
    elif bare and not bare.startswith("#"):
        # A marker has blanks and quotes of its own: the requirement stays one word.
        yield shlex.quote(bare)


def _requirement(word: str, paths: PathMap, folder: str) -> str:
    if word.startswith((".", "/")) or (word.endswith(".whl") and "://" not in word and "@" not in word):
        return _real(word, paths, folder)
    name, separator, url = word.partition("@")
    address = url.strip()
    if separator and address.startswith("file:"):
        path = "/" + address.removeprefix("file:").lstrip("/")
        return f"{name.strip()} @ file://{_real(path, paths, folder)}"
    return word


def _real(path: str, paths: PathMap, folder: str) -> str:
    if "://" in path:
        return path
    path = path.removeprefix("dbfs:")
    real = paths.real(path if os.path.isabs(path) else os.path.join(folder, path))
    return os.path.normpath(real)


def is_satisfied(text: str) -> bool:
    """Whether a requirement is met by what this process would import. A path or address never is."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return False
    return _is_met(requirement, set())


def _is_met(requirement: Requirement, seen: set[str]) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return True
    if requirement.url is not None:
        return False
    try:
        found = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    if not requirement.specifier.contains(found.version, prereleases=True):
        return False
    if not requirement.extras or str(requirement) in seen:
        return True
    seen.add(str(requirement))
    needs = [Requirement(text) for text in found.requires or []]
    return all(
        _is_met(_without_marker(need), seen)
        for need in needs
        if need.marker is not None and any(need.marker.evaluate({"extra": extra}) for extra in requirement.extras)
    )


def _without_marker(requirement: Requirement) -> Requirement:
    requirement.marker = None
    return requirement
