"""What a job's environment and a task's libraries ask for, before the task's code runs."""

from __future__ import annotations

from collections.abc import Callable

from notebook_kernel import formats, requirements
from notebook_kernel.environment_block import take_block
from notebook_kernel.overlay import InstallFailed, Overlay
from notebook_kernel.paths import PathMap
from notebook_kernel.request import Request
from notebook_kernel.words import lines

OF_A_FILE = "a Python file's task takes its packages from environment_key or libraries"


def of_code(request: Request) -> list[str]:
    """What the code itself asks for: dependencies, or comments on why they are not installed."""
    if request.kind == "notebook":
        found, reason = formats.read(request.text(), request.notebook).environment, request.notebook_environment
    else:
        found, reason = take_block(lines(request.text()))[0], OF_A_FILE
    if found is None:
        return []
    wanted = list(found.dependencies)
    if wanted and reason:
        wanted = [f"# Not installed: {', '.join(wanted)}. They stand in the code, but {reason}"]
    return [*(f"# {remark}" for remark in found.remarks), *wanted]


def prepare(dependencies: list[str], folder: str, overlay: Overlay, paths: PathMap, say: Callable[[str], None]) -> bool:
    """Installs what is missing and tells of the rest in one line; answers whether anything was installed.

    Each dependency is a line of a requirements file, a comment being said; relative paths count from `folder`.
    """
    wanted = requirements.Wanted()
    for line in dependencies:
        if line.startswith("#"):
            say(line.removeprefix("#").strip())
            continue
        found = requirements.read_line(line, paths, folder)
        wanted.requirements += found.requirements
        wanted.options += found.options
        wanted.editable += found.editable
    missing = wanted.missing()
    there = [text for text in wanted.requirements if text not in missing]
    if there:
        say(f"Already in the project's environment: {', '.join(there)}")
    if not missing and not wanted.editable:
        return False
    say(f"Installing: {', '.join(paths.virtual(text) for text in [*missing, *wanted.editable])}")
    try:
        overlay.install(wanted.arguments(missing), lambda line: say(paths.virtual_text(line)))
    except InstallFailed as error:
        raise InstallFailed(f"cannot create the task's environment: {error}") from None
    return True
