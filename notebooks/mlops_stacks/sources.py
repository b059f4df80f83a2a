"""Where rows are read from: a Parquet file, a folder of Parquet files, or the folder of a Delta table.

All of them give their rows batch by batch and have a digest (docs/records.md of the tool says of what). A name such as
`catalog.schema.table` is a table, which Spark reads: see tables.py.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from mlops_stacks import files
from mlops_stacks.schema import DataRefused

DELTA_LOG = "_delta_log"


class Source(Protocol):
    """Rows to read."""

    def schema(self) -> pa.Schema:
        """The columns there are."""

    def digest(self) -> str:
        """SHA-256 that stands for what is read, 64 hex digits."""

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """These columns, in this order, `rows` rows at a time."""


def is_table(name: str) -> bool:
    """Whether this is a table's full name, `catalog.schema.table`, and not a path."""
    return "/" not in name and name.count(".") == 2 and not name.endswith(".parquet")


def exists(path: str) -> bool:
    """Whether there is anything at this path."""
    return bool(path) and os.path.exists(path)


def opened(path: str) -> Source:
    """The source at a path.

    Raises:
        DataRefused: there is none, or it is nothing that can be read.
    """
    if not exists(path):
        raise DataRefused(f"{path} does not exist; generate and upload data with `cargo xtask data upload`")
    if not os.path.isdir(path):
        return ParquetFiles(path, [path])
    if os.path.isdir(os.path.join(path, DELTA_LOG)):
        return DeltaFolder(path)
    found = data_files(path)
    if not found:
        raise DataRefused(f"{path} is a folder without Parquet files")
    return ParquetFiles(path, found)


def data_files(folder: str) -> list[str]:
    """The Parquet files below a folder, in order; names that begin with `_` or `.` are no data, as in Spark."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] not in "_."]
        found += [os.path.join(parent, name) for name in names if name.endswith(".parquet") and name[0] not in "_."]
    return sorted(found)


def digest_of_files(folder: str, paths: Sequence[str]) -> str:
    """SHA-256 of one line for each file (relative path, length, SHA-256 of the content), in the order of their paths."""
    lines = []
    for path in paths:
        relative = os.path.relpath(path, folder).replace(os.sep, "/")
        lines.append(f"{relative}\x00{os.path.getsize(path)}\x00{files.sha256(path)}\n".encode())
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


@dataclass(frozen=True)
class ParquetFiles:
    """One Parquet file, or those of a folder, one after the other in the order of their paths.

    Attributes:
        path: of the file or folder.
        paths: the files; all have the columns of the first.
    """

    path: str
    paths: list[str]

    def schema(self) -> pa.Schema:
        """The columns of the first file."""
        with open(self.paths[0], "rb") as file:
            return parquet(file, self.paths[0]).schema_arrow

    def digest(self) -> str:
        """Of the file's bytes, or of all the folder's files."""
        if self.paths == [self.path]:
            return files.sha256(self.path)
        return digest_of_files(self.path, self.paths)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """These columns, file by file."""
        for path in self.paths:
            with open(path, "rb") as file:
                found = parquet(file, path)
                missing = [name for name in columns if name not in found.schema_arrow.names]
                if missing:
                    raise DataRefused(f"{path} has no column `{missing[0]}`, unlike {self.paths[0]}")
                for batch in found.iter_batches(rows, columns=list(columns)):
                    yield pa.Table.from_batches([batch]).select(list(columns))


def parquet(file: BinaryIO, path: str) -> pq.ParquetFile:
    """The open file as Parquet."""
    try:
        return pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise DataRefused(f"{path} is not a Parquet file: {error}") from error


class DeltaFolder:
    """The folder of a Delta table, at the version that is the latest when it is opened."""

    def __init__(self, path: str) -> None:
        try:
            from deltalake import DeltaTable
        except ImportError:
            raise DataRefused(
                f"{path} is a Delta table, which needs the package deltalake: install it with "
                "`uv sync --locked --extra delta`, or give the table's name to Spark"
            ) from None
        self._folder = _as_the_system_knows_it(path)
        self._table = DeltaTable(self._folder)

    def schema(self) -> pa.Schema:
        """The table's columns."""
        return self._dataset().schema

    def digest(self) -> str:
        """Of the files that make up this version."""
        paths = [uri.removeprefix("file://") for uri in self._table.file_uris()]
        return digest_of_files(self._folder, paths)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """These columns, file by file."""
        for batch in self._dataset().to_batches(columns=list(columns), batch_size=rows):
            if batch.num_rows:
                yield pa.Table.from_batches([batch]).select(list(columns))

    def _dataset(self) -> "pa.dataset.Dataset":
        from deltalake.exceptions import DeltaProtocolError

        try:
            return self._table.to_pyarrow_dataset()
        except DeltaProtocolError as error:
            raise DataRefused(f"{self._folder}: {error}; use the table's name with Spark instead") from error


def _as_the_system_knows_it(folder: str) -> str:
    """The folder's path for readers below Python, to which the local workspace shows no /Volumes.

    An open file knows its own place; on Databricks that is the path that was given.
    """
    log = os.path.join(folder, DELTA_LOG)
    with open(os.path.join(log, min(os.listdir(log))), "rb") as file:
        return os.path.dirname(os.path.dirname(os.path.abspath(file.name)))
