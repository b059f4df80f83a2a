"""`dbutils.fs` over the workspace's folders: /Volumes/… and /Workspace/…."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

HEAD_BYTES = 65536


@dataclass(frozen=True)
class FileInfo:
    """One entry of `ls`; folders end in a slash."""

    path: str
    name: str
    size: int
    modificationTime: int

    def isDir(self) -> bool:
        """Whether this is a folder."""
        return self.name.endswith("/")

    def isFile(self) -> bool:
        """Whether this is a file."""
        return not self.isDir()


class Files:
    """Paths as on Databricks; DBFS itself does not exist here."""

    def ls(self, path: str) -> list[FileInfo]:
        """The entries of a folder, or the file itself."""
        local = _local(path)
        if not os.path.isdir(local):
            return [_info(local)]
        return [_info(os.path.join(local, name)) for name in sorted(os.listdir(local))]

    def mkdirs(self, path: str) -> bool:
        """Makes a folder and those above it."""
        os.makedirs(_local(path), exist_ok=True)
        return True

    def cp(self, source: str, to: str, recurse: bool = False) -> bool:
        """Copies a file, or a folder with `recurse=True`."""
        origin, target = _local(source), _local(to)
        if os.path.isdir(origin):
            if not recurse:
                raise IsADirectoryError(f"{source} is a folder: say recurse=True to copy it")
            shutil.copytree(origin, target, dirs_exist_ok=True)
        else:
            if os.path.isdir(target):
                target = os.path.join(target, os.path.basename(origin))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(origin, target)
        return True

    def mv(self, source: str, to: str, recurse: bool = False) -> bool:
        """Moves a file, or a folder with `recurse=True`."""
        self.cp(source, to, recurse)
        return self.rm(source, recurse)

    def rm(self, path: str, recurse: bool = False) -> bool:
        """Deletes; False when there was nothing."""
        local = _local(path)
        if not os.path.lexists(local):
            return False
        if not os.path.isdir(local):
            os.remove(local)
        elif recurse:
            shutil.rmtree(local)
        else:
            os.rmdir(local)
        return True

    def head(self, path: str, max_bytes: int = HEAD_BYTES) -> str:
        """The beginning of a file."""
        with open(_local(path), "rb") as file:
            return file.read(max_bytes).decode("utf-8", errors="replace")

    def put(self, path: str, contents: str, overwrite: bool = False) -> bool:
        """Writes a text to a file."""
        local = _local(path)
        if os.path.exists(local) and not overwrite:
            raise FileExistsError(f"{path} exists: say overwrite=True to replace it")
        os.makedirs(os.path.dirname(local), exist_ok=True)
        with open(local, "w", encoding="utf-8") as file:
            file.write(contents)
        return True


def _local(path: str) -> str:
    for scheme in ("dbfs:", "file:"):
        if path.startswith(scheme + "/"):
            path = "/" + path[len(scheme) :].lstrip("/")
    if path.startswith(("/Volumes/", "/Workspace/")):
        return path
    if path.startswith("/tmp/"):
        return path
    raise ValueError(f"{path}: the local workspace has no DBFS; use a path below /Volumes, /Workspace or /tmp")


def _info(path: str) -> FileInfo:
    status = os.stat(path)
    folder = os.path.isdir(path)
    name = os.path.basename(path.rstrip("/")) + ("/" if folder else "")
    size = 0 if folder else status.st_size
    return FileInfo(path, name, size, int(status.st_mtime * 1000))
