"""`/Workspace` and `/Volumes` inside a notebook: Python-level file calls see the workspace's files.

On Databricks these are mounts. Here Python's own file functions are wrapped instead, which covers
`open`, `os`, `os.path`, `pathlib`, `shutil`, `glob` and imports. What reads files below Python (C++
readers given a bare path, child processes) does not see them: open the file and hand it over.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import TracebackType
from typing import Any

ONE_PATH = (
    "access",
    "chdir",
    "chmod",
    "chown",
    "getxattr",
    "lchown",
    "listdir",
    "listxattr",
    "lstat",
    "mkdir",
    "mkfifo",
    "open",
    "pathconf",
    "readlink",
    "remove",
    "removexattr",
    "rmdir",
    "setxattr",
    "stat",
    "statvfs",
    "truncate",
    "unlink",
    "utime",
)
TWO_PATHS = ["link", "rename", "replace", "symlink"]


class PathMap:
    """Which real folder stands behind each virtual root."""

    def __init__(self, roots: Mapping[str, str]) -> None:
        self._roots = {virtual.rstrip("/"): real.rstrip("/") for virtual, real in roots.items()}
        self._names = {real: virtual for virtual, real in self._roots.items()}
        folders = "|".join(re.escape(real) for real in self._names)
        # A folder whose name only begins like a root's is another one.
        self._real_root = re.compile(rf"(?:{folders})(?![\w-])")

    def real(self, path: Any) -> Any:
        """The real path of a virtual one; anything else (descriptors, other paths) as it is."""
        try:
            text = os.fspath(path)
        except TypeError:
            return path
        if isinstance(text, bytes):
            mapped = self.real(os.fsdecode(text))
            return os.fsencode(mapped)
        if not text.startswith("/"):
            return path
        # `..` is resolved first, so that /Volumes/../etc is what it says and no way out of a root.
        clean = _normal(text)
        for virtual, real in self._roots.items():
            if clean == virtual or clean.startswith(virtual + "/"):
                return real + clean[len(virtual) :]
        return path

    def virtual(self, path: str) -> str:
        """The name that people know a real path by."""
        for virtual, real in self._roots.items():
            if path == real or path.startswith(real + "/"):
                return virtual + path[len(real) :]
        return path

    def virtual_text(self, text: str) -> str:
        """A text (a traceback) in which every real root is called by its virtual name."""
        return self._real_root.sub(lambda found: self._names[found.group()], text)

    def is_virtual(self, path: str) -> bool:
        """Whether a path lies below one of the roots."""
        return self.real(path) is not path


def _normal(path: str) -> str:
    clean = os.path.normpath(path)
    # POSIX keeps two leading slashes apart; no one means that here.
    return clean[1:] if clean.startswith("//") else clean


class _Entry:
    """An `os.DirEntry` that knows itself by its virtual path."""

    def __init__(self, entry: os.DirEntry[str], folder: str) -> None:
        self._entry = entry
        self.path = os.path.join(folder, entry.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self._entry.name!r}>"


class _Scan:
    """What `os.scandir` gives for a virtual folder."""

    def __init__(self, scan: Any, folder: str) -> None:
        self._scan = scan
        self._folder = folder

    def __iter__(self) -> Iterator[_Entry]:
        return self

    def __next__(self) -> _Entry:
        return _Entry(next(self._scan), self._folder)

    def __enter__(self) -> _Scan:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scan.close()

    def close(self) -> None:
        self._scan.close()


def install(paths: PathMap) -> None:
    """Wraps Python's file functions for the rest of the process."""
    opened = _first_path(builtins.open, paths)
    builtins.open = opened  # type: ignore[assignment]
    io.open = opened  # type: ignore[assignment]
    for name in ONE_PATH:
        function = getattr(os, name, None)
        if function is not None:
            _replace(name, function, _first_path(function, paths))
    for name in TWO_PATHS:
        function = getattr(os, name)
        _replace(name, function, _both_paths(function, paths))
    _replace("scandir", os.scandir, _scandir(os.scandir, paths))
    sys.path_hooks.insert(0, _import_hook(paths))
    sys.path_importer_cache.clear()


def map_import_path(paths: PathMap, entries: Iterable[str]) -> list[str]:
    """sys.path with real folders: child processes inherit it, and know no virtual ones."""
    return [paths.real(entry) if entry else entry for entry in entries]


def _replace(name: str, old: Callable[..., Any], new: Callable[..., Any]) -> None:
    setattr(os, name, new)
    # shutil and os ask these sets whether a function takes descriptors.
    for group in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks"):
        functions = getattr(os, group, None)
        if functions is not None and old in functions:
            functions.add(new)


def _first_path(function: Callable[..., Any], paths: PathMap) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args:
            args = (paths.real(args[0]), *args[1:])
        for name in ("path", "file"):
            if name in kwargs:
                kwargs[name] = paths.real(kwargs[name])
        return function(*args, **kwargs)

    return call


def _both_paths(function: Callable[..., Any], paths: PathMap) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        args = (*(paths.real(arg) for arg in args[:2]), *args[2:])
        for name in ("src", "dst"):
            if name in kwargs:
                kwargs[name] = paths.real(kwargs[name])
        return function(*args, **kwargs)

    return call


def _scandir(function: Callable[..., Any], paths: PathMap) -> Callable[..., Any]:
    @functools.wraps(function)
    def scandir(path: Any = ".") -> Any:
        real = paths.real(path)
        if real is path or isinstance(real, bytes):
            return function(real)
        return _Scan(function(real), os.fspath(path))

    return scandir


def _import_hook(paths: PathMap) -> Callable[[str], FileFinder]:
    """Imports from `sys.path.append("/Workspace/…")`: the import system asks below `os`."""
    loaders = [
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (SourceFileLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    ]

    def hook(path: str) -> FileFinder:
        real = paths.real(path)
        if real is path or not os.path.isdir(real):
            raise ImportError("not below a virtual root", path=path)
        return FileFinder(real, *loaders)

    return hook
