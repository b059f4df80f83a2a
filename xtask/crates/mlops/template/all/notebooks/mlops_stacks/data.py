"""Makes the three data sets of tests and of the target `test`: `python -m mlops_stacks.data make --out DIR`.

They are cut from the table that `SAMPLE` in columns.py names: the earliest rows are the training set, later ones the
test set, the latest the inference input. Without `SAMPLE` example.py generates them. The same seed writes the same
bytes.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_stacks import sources
from mlops_stacks.columns import COLUMNS, LATER_BY, SAMPLE
from mlops_stacks.files import replaced
from mlops_stacks.schema import DataRefused, check_schema

DATA_SETS = {"training": 1.0, "test": 0.25, "inference_input": 0.25}
"""The data sets, in order of time, and how many rows each has for one of the training set."""

DEFAULT_ROWS = 20_000
ROOT = Path(__file__).resolve().parents[2]


def make(folder: str, rows: int = DEFAULT_ROWS, seed: int = 0) -> dict[str, int]:
    """Writes training.parquet, test.parquet and inference_input.parquet into `folder`, replacing what was there.

    Args:
        folder: where to write; created if it is missing.
        rows: size of the training set; the other two have a quarter of it each. A sample may have fewer.
        seed: the same seed and number of rows give the same bytes.

    Returns:
        The number of rows written, by file name.
    """
    if rows < 100:
        raise ValueError(f"rows is {rows}: a data set needs at least 100 rows; pass --rows 100 or more")
    tables = cut(str(ROOT / SAMPLE), rows, seed) if SAMPLE else generated(rows, seed)
    written = {}
    for name, table in tables.items():
        with replaced(os.path.join(folder, f"{name}.parquet")) as file:
            pq.write_table(table, file, compression="snappy")
        written[f"{name}.parquet"] = table.num_rows
    return written


def cut(path: str, rows: int, seed: int) -> dict[str, pa.Table]:
    """Cuts a table into the data sets, in order of time; of a larger one it takes a random part."""
    source = sources.opened(path)
    check_schema(source.schema(), tuple(COLUMNS), path)
    table = pa.concat_tables(source.batches(tuple(COLUMNS), DEFAULT_ROWS))
    table = table.sort_by(LATER_BY) if LATER_BY else table
    wanted = int(rows * sum(DATA_SETS.values()))
    if table.num_rows > wanted:
        table = table.take(np.sort(np.random.default_rng(seed).permutation(table.num_rows)[:wanted]))
    ends = np.cumsum(list(DATA_SETS.values())) / sum(DATA_SETS.values()) * table.num_rows
    first, parts = 0, {}
    for name, last in zip(DATA_SETS, ends.astype(int), strict=True):
        parts[name], first = table.slice(first, last - first), int(last)
    return parts


def generated(rows: int, seed: int) -> dict[str, pa.Table]:
    """The data sets of example.py."""
    from mlops_stacks import example

    schema = pa.schema([(name, kind.arrow) for name, kind in COLUMNS.items()])
    sizes = {name: int(rows * share) for name, share in DATA_SETS.items()}
    made = ((name, example.rows(name, size, [seed, place])) for place, (name, size) in enumerate(sizes.items()))
    return {name: pa.Table.from_pandas(frame, schema, preserve_index=False) for name, frame in made}


def main(arguments: list[str] | None = None) -> int:
    """The command line: make --out DIR [--rows N] [--seed S]."""
    parser = argparse.ArgumentParser(
        prog="python -m mlops_stacks.data",
        description="Make the data sets.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make", help="write training.parquet, test.parquet and inference_input.parquet")
    maker.add_argument("--out", required=True, metavar="DIR", help="folder to write into; created if missing")
    maker.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="rows of the training set (default %(default)s)")
    maker.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        written = make(chosen.out, chosen.rows, chosen.seed)
    except (DataRefused, ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for name, rows in written.items():
        sys.stdout.write(f"{os.path.join(chosen.out, name)}: {rows:,} rows\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
