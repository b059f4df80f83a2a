"""Reads trips and drops the rows that no model should learn from, by rules that have a name and are counted."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_stacks import files

INPUTS = ("tpep_pickup_datetime", "trip_distance", "pickup_zip", "dropoff_zip")
"""What is known at pick-up: the only columns a model may see. Adding one here is a decision to be reviewed."""

LABEL = "fare_amount"

KINDS: dict[str, tuple[str, Callable[[pa.DataType], bool]]] = {
    "tpep_pickup_datetime": ("a timestamp", pa.types.is_timestamp),
    "tpep_dropoff_datetime": ("a timestamp", pa.types.is_timestamp),
    "trip_distance": ("a number", lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind)),
    "fare_amount": ("a number", lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind)),
    "pickup_zip": ("an integer", pa.types.is_integer),
    "dropoff_zip": ("an integer", pa.types.is_integer),
}
"""The kind of each column, and the test for it."""

MAX_DROPPED_SHARE = 0.10
"""More dropped rows than this share mean that the data are not what the rules were made for."""


class DataRefused(Exception):
    """The data do not fit: says which column or rule, and what to do."""


@dataclass(frozen=True)
class Rule:
    """Drops the rows for which `drops` is true; `why` is for people, `sql` says the same as `drops` to Spark."""

    name: str
    why: str
    drops: Callable[[pd.DataFrame], pd.Series]
    sql: str = ""


INPUT_RULES = (
    Rule(
        "missing_value",
        "an input is missing",
        lambda trips: trips[list(INPUTS)].isna().any(axis=1),
        " OR ".join(f"{name} IS NULL" for name in INPUTS) + " OR isnan(trip_distance)",
    ),
    Rule("no_distance", "a trip of no length", lambda trips: trips["trip_distance"] <= 0, "trip_distance <= 0"),
    Rule("endless_distance", "more than 200 miles", lambda trips: trips["trip_distance"] > 200, "trip_distance > 200"),
)
"""Rules about what is known at pick-up. Inference uses these alone."""

FARE_RULES = (
    Rule(
        "missing_fare", "the fare is missing", lambda trips: trips[LABEL].isna(), f"{LABEL} IS NULL OR isnan({LABEL})"
    ),
    Rule("no_fare", "a refund or a correction, not a trip", lambda trips: trips[LABEL] <= 0, f"{LABEL} <= 0"),
    Rule("fare_outlier", "more than 400 dollars: a typing error", lambda trips: trips[LABEL] > 400, f"{LABEL} > 400"),
)
"""Rules about the fare."""

TRIP_RULES = (
    *FARE_RULES,
    Rule(
        "ends_before_it_starts",
        "the clock was changed on the way",
        lambda trips: trips["tpep_dropoff_datetime"] < trips["tpep_pickup_datetime"],
    ),
    Rule("duplicate", "the same trip once more", lambda trips: trips.duplicated(keep="first")),
)
"""Rules about finished trips, whose fare is known."""


@dataclass(frozen=True)
class CleanTrips:
    """Trips that passed every rule, with what was dropped on the way.

    Attributes:
        frame: the trips, in the order they were read.
        rows_read: how many there were before the rules.
        dropped: rows dropped, by rule; a row counts for the first rule that it breaks.
        digest: SHA-256 of the file's bytes, 64 hex digits.
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
        rules = (*INPUT_RULES, *TRIP_RULES)
        return pd.DataFrame([{"rule": r.name, "drops": r.why, "rows": self.dropped[r.name]} for r in rules])


def read_trips(path: str, max_dropped_share: float = MAX_DROPPED_SHARE) -> CleanTrips:
    """Reads finished trips from a Parquet file and cleans them.

    Raises:
        DataRefused: a column is missing or of the wrong kind, nothing is left, or the rules drop too much.
    """
    frame, digest = _read(path, (*INPUTS, "tpep_dropoff_datetime", LABEL))
    return clean(frame, digest, max_dropped_share)


def clean(frame: pd.DataFrame, digest: str, max_dropped_share: float = MAX_DROPPED_SHARE) -> CleanTrips:
    """Applies every rule in turn and counts what each one drops."""
    if frame.empty:
        raise DataRefused("the data have no rows; make some with `cargo xtask data make`")
    rows_read, dropped = len(frame), {}
    for rule in (*INPUT_RULES, *TRIP_RULES):
        bad = rule.drops(frame)
        dropped[rule.name] = int(bad.sum())
        frame = frame[~bad]
    result = CleanTrips(with_exact_types(frame.reset_index(drop=True)), rows_read, dropped, digest)
    if result.dropped_share > max_dropped_share:
        worst = max(dropped, key=dropped.__getitem__)
        raise DataRefused(
            f"the cleaning rules drop {result.dropped_share:.1%} of {rows_read:,} rows, more than the "
            f"{max_dropped_share:.0%} allowed; most by `{worst}` ({dropped[worst]:,} rows). "
            "Look at the data first; the rules are in mlops_stacks/ingest.py"
        )
    return result


def with_exact_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives the inputs the types of the model's signature; a column that had gaps was read as floating point."""
    return frame.astype(
        {
            "tpep_pickup_datetime": "datetime64[us]",
            "trip_distance": "float64",
            "pickup_zip": "int32",
            "dropoff_zip": "int32",
        }
    )


def _read(path: str, columns: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """Reads the columns, in this order, and the file's digest."""
    try:
        with open(path, "rb") as file:
            parquet = pq.ParquetFile(file)
            check_schema(parquet.schema_arrow, columns, path)
            frame = parquet.read(columns=list(columns)).to_pandas()
    except FileNotFoundError:
        raise DataRefused(f"{path} does not exist; make and upload data with `cargo xtask data upload`") from None
    except pa.ArrowInvalid as error:
        raise DataRefused(f"{path} is not a Parquet file: {error}") from error
    return frame[list(columns)], files.sha256(path)


def check_schema(schema: pa.Schema, columns: tuple[str, ...], where: str) -> None:
    """Refuses a schema in which a column is missing or of the wrong kind, naming the column."""
    for name in columns:
        kind, fits = KINDS[name]
        if name not in schema.names:
            raise DataRefused(f"{where} has no column `{name}` ({kind}); it has: {', '.join(schema.names)}")
        found = schema.field(name).type
        if not fits(found):
            raise DataRefused(f"column `{name}` of {where} is {found}, where {kind} is needed")
