"""`dbutils.fs` over the workspace's folders: volumes, workspace files, the DBFS root, and files of this machine."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import NoReturn

from notebook_kernel.utility import Utility

HEAD_BYTES = 65536
# Where a path without a scheme is no path of DBFS.
MOUNTED = ("/Volumes", "/Workspace")
DBFS = "/dbfs"


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


class Files(Utility):
    """Paths as on Databricks: `dbfs:/…` or without a scheme, `file:/…` for files of the machine."""

    _called = "dbutils.fs"

    def ls(self, path: str) -> list[FileInfo]:
        """The entries of a folder, or the file itself."""
        place = _Place.of(path)
        place.require()
        if not os.path.isdir(place.local):
            return [place.info()]
        return [place.join(name).info() for name in sorted(os.listdir(place.local))]

    def mkdirs(self, path: str) -> bool:
        """Makes a folder and those above it."""
        os.makedirs(_Place.of(path).local, exist_ok=True)
        return True

    def cp(self, source: str, to: str, recurse: bool = False) -> bool:
        """Copies a file, or a folder with `recurse=True`."""
        origin, target = _both(source, to, recurse)
        if os.path.isdir(origin):
            shutil.copytree(origin, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(origin, target)
        return True

    def mv(self, source: str, to: str, recurse: bool = False) -> bool:
        """Moves a file, or a folder with `recurse=True`."""
        origin, target = _both(source, to, recurse)
        if os.path.isfile(target) and os.path.isfile(origin):
            os.replace(origin, target)
        else:
            shutil.move(origin, target)
        return True

    def rm(self, path: str, recurse: bool = False) -> bool:
        """Deletes; False when there was nothing."""
        local = _Place.of(path).local
        if not os.path.lexists(local):
            return False
        if not os.path.isdir(local):
            os.remove(local)
        elif recurse:
            shutil.rmtree(local)
        elif os.listdir(local):
            raise OSError(f"{path} is not empty: pass recurse=True to delete it with its content")
        else:
            os.rmdir(local)
        return True

    def head(self, file: str, maxBytes: int = HEAD_BYTES, **older: int) -> str:
        """The beginning of a file."""
        limit = older.get("max_bytes", maxBytes)
        place = _Place.of(file)
        place.require()
        with open(place.local, "rb") as opened:
            text = opened.read(limit).decode("utf-8", errors="replace")
        if os.path.getsize(place.local) > limit:
            print(f"[Truncated to first {limit} bytes]")
        return text

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Writes a text to a file."""
        local = _Place.of(file).local
        if os.path.exists(local) and not overwrite:
            raise FileExistsError(f"{file} exists: pass overwrite=True to replace it")
        os.makedirs(os.path.dirname(local), exist_ok=True)
        data = contents.encode("utf-8")
        with open(local, "wb") as opened:
            opened.write(data)
        print(f"Wrote {len(data)} bytes.")
        return True

    def mounts(self) -> list[object]:
        """No cloud storage is mounted."""
        return []

    def mount(self, *arguments: object, **options: object) -> NoReturn:
        """Always fails: there is no cloud storage to mount."""
        raise NotImplementedError("dbutils.fs.mount: the local workspace cannot mount cloud storage; use a volume")

    updateMount = unmount = refreshMounts = mount


@dataclass(frozen=True)
class _Place:
    """A path as it is written, and the file that it means."""

    scheme: str
    path: str
    local: str

    @classmethod
    def of(cls, text: str) -> _Place:
        text = os.fspath(text)
        scheme, separator, rest = text.partition(":")
        if separator and "/" not in scheme:
            if scheme not in {"dbfs", "file"}:
                raise ValueError(f"{text}: the local workspace has no access to {scheme} storage; use a volume")
        else:
            scheme, rest = "dbfs", text
        path = os.path.normpath("/" + rest.lstrip("/"))
        if scheme == "file" or path.startswith("/Workspace/"):
            return cls("file", path, path)
        is_mounted = any(path == root or path.startswith(root + "/") for root in MOUNTED)
        return cls("dbfs", path, path if is_mounted else (DBFS + path).rstrip("/"))

    def join(self, name: str) -> _Place:
        return _Place(self.scheme, os.path.join(self.path, name), os.path.join(self.local, name))

    def require(self) -> None:
        if not os.path.lexists(self.local):
            raise FileNotFoundError(f"{self.scheme}:{self.path} does not exist")

    def info(self) -> FileInfo:
        status = os.stat(self.local)
        is_folder = os.path.isdir(self.local)
        end = "/" if is_folder else ""
        name = os.path.basename(self.path) + end
        size = 0 if is_folder else status.st_size
        return FileInfo(f"{self.scheme}:{self.path}{end}", name, size, int(status.st_mtime * 1000))


def _both(source: str, to: str, recurse: bool) -> tuple[str, str]:
    """The files that a copy reads and writes; into a folder that is there a file goes under its own name."""
    origin, target = _Place.of(source), _Place.of(to)
    origin.require()
    local = target.local
    if os.path.isdir(origin.local):
        if not recurse:
            raise IsADirectoryError(f"{source} is a folder: pass recurse=True to copy or move it")
    elif os.path.isdir(local):
        local = os.path.join(local, os.path.basename(origin.local))
    os.makedirs(os.path.dirname(local), exist_ok=True)
    return origin.local, local
