"""Another project in place of this one: the package with some of its files replaced."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import mlops_stacks


@pytest.fixture
def package_of(monkeypatch) -> Iterator[Callable[..., None]]:
    """Puts the files of folders before those of the package, for the rest of the test."""
    here = sys.modules["mlops_stacks.versions"].Process

    def ours() -> list[str]:
        return [name for name in sys.modules if name.split(".")[0] == "mlops_stacks"]

    def _package_of(*folders: Path) -> None:
        for name in ours():
            monkeypatch.delitem(sys.modules, name)
        package = ModuleType("mlops_stacks")
        package.__path__ = [*map(str, folders), *mlops_stacks.__path__]
        monkeypatch.setitem(sys.modules, "mlops_stacks", package)
        from mlops_stacks import versions

        monkeypatch.setattr(versions, "Process", here)

    yield _package_of
    for name in ours():
        del sys.modules[name]
