"""Reads finished rows and drops those that no model should learn from, by the rules of cleaning.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from mlops_stacks import sources, tables
from mlops_stacks.cleaning import FINISHED_RULES, INPUT_RULES
from mlops_stacks.schema import (
    FINISHED,
    DataRefused,
    check_schema,
    with_exact_types,
    without_zone,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS_PER_BATCH = 1_000_000
"""Read at a time; all of them are kept."""

MAX_DROPPED_SHARE = 0.10
"""More dropped rows than this share mean that the data are not what the rules were made for."""


@dataclass(frozen=True)
class CleanRows:
    """Rows that passed every rule, with what was dropped on the way.

    Attributes:
        frame: the rows, in the order they were read.
        rows_read: how many there were before the rules.
        dropped: rows dropped, by rule; a row counts for the first rule that it breaks.
        digest: SHA-256 that stands for what was read (docs/records.md of the tool), 64 hex digits.
    """

    frame: pd.DataFrame
    rows_read: int
    dropped: dict[str, int]
    digest: str

    @property
    def dropped_share(self) -> float:
        """Share (0..1) of the rows that the rules dropped."""
        return 1 - len(self.frame) / self.rows_read

    def as_table(self) -> pd.DataFrame:
        """One line for each rule, for people to read."""
        rules = (*INPUT_RULES, *FINISHED_RULES)
        return pd.DataFrame([{"rule": r.name, "drops": r.why, "rows": self.dropped[r.name]} for r in rules])


def read_clean(
    name: str, session: "SparkSession | None" = None, max_dropped_share: float = MAX_DROPPED_SHARE
) -> CleanRows:
    """Reads rows whose label is known, and drops those that break a rule.

    Args:
        name: path of a Parquet file, of a folder of them or of a Delta table's folder; or a table's full name.
        session: the Spark session, which a table needs.
        max_dropped_share: more dropped rows than this share (0..1) are refused.

    Raises:
        DataRefused: a column is missing or of the wrong kind, nothing is left, or the rules drop too much.
    """
    frame, digest = _read(name, session)
    return clean(frame, digest, max_dropped_share)


def clean(frame: pd.DataFrame, digest: str, max_dropped_share: float = MAX_DROPPED_SHARE) -> CleanRows:
    """Applies every rule in turn and counts what each one drops."""
    if frame.empty:
        raise DataRefused("the data have no rows; generate some with `cargo xtask data make`")
    rows_read, dropped = len(frame), {}
    for rule in (*INPUT_RULES, *FINISHED_RULES):
        bad = rule.drops(frame)
        dropped[rule.name] = int(bad.sum())
        frame = frame[~bad]
    result = CleanRows(with_exact_types(frame.reset_index(drop=True)), rows_read, dropped, digest)
    if result.dropped_share > max_dropped_share:
        worst = max(dropped, key=dropped.__getitem__)
        raise DataRefused(
            f"the cleaning rules drop {result.dropped_share:.1%} of {rows_read:,} rows, more than the "
            f"{max_dropped_share:.0%} allowed; most by `{worst}` ({dropped[worst]:,} rows). "
            "Check the data first; the rules are in mlops_stacks/cleaning.py"
        )
    return result


def _read(name: str, session: "SparkSession | None") -> tuple[pd.DataFrame, str]:
    """The columns FINISHED of the data, in this order, and the digest of what they were read from."""
    if sources.is_table(name):
        rows = tables.opened(tables.required(session, name), name, FINISHED)
        return tables.as_frame(rows), tables.content(rows)[1]
    source = sources.opened(name)
    check_schema(source.schema(), FINISHED, name)
    found = list(source.batches(FINISHED, ROWS_PER_BATCH))
    table = pa.concat_tables(found) if found else source.schema().empty_table().select(list(FINISHED))
    return without_zone(table.to_pandas()), source.digest()
