"""Which columns there are, what is known at pick-up, and what kind of values each column has."""

from collections.abc import Callable

import pandas as pd
import pyarrow as pa


class DataRefused(Exception):
    """The data do not fit: says which column or rule, and what to do."""


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

FINISHED_TRIP = (*INPUTS, "tpep_dropoff_datetime", LABEL)
"""What training and validation read, in this order."""


def check_schema(schema: pa.Schema, columns: tuple[str, ...], where: str) -> None:
    """Refuses a schema in which a column is missing or of the wrong kind, naming the column."""
    for name in columns:
        kind, fits = KINDS[name]
        if name not in schema.names:
            raise DataRefused(f"{where} has no column `{name}` ({kind}); it has: {', '.join(schema.names)}")
        found = schema.field(name).type
        if not fits(found):
            raise DataRefused(f"column `{name}` of {where} is {found}, where {kind} is needed")


def without_zone(frame: pd.DataFrame) -> pd.DataFrame:
    """The same trips with plain times: one that has a zone (Spark's `timestamp`) is read as it is in UTC."""
    zoned = [name for name in frame.columns if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{name: frame[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned})


def with_exact_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives the inputs the types of the model's signature; a column that had gaps was read as floating point."""
    return without_zone(frame).astype(
        {
            "tpep_pickup_datetime": "datetime64[us]",
            "trip_distance": "float64",
            "pickup_zip": "int32",
            "dropoff_zip": "int32",
        }
    )
