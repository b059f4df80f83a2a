"""Holds data against the columns that are declared, and gives them the types that a model takes."""

import pandas as pd
import pyarrow as pa

from mlops_stacks.columns import COLUMNS, INPUTS, LABEL

FINISHED = (*INPUTS, *(name for name in COLUMNS if name not in (*INPUTS, LABEL)), LABEL)
"""What training and validation read, in this order."""


class DataRefused(Exception):
    """The data do not fit: says which column or rule, and what to do."""


def check_schema(schema: pa.Schema, columns: tuple[str, ...], where: str) -> None:
    """Refuses a schema in which a column is missing or of the wrong kind, naming the column."""
    for name in columns:
        kind = COLUMNS[name]
        if name not in schema.names:
            raise DataRefused(f"{where} has no column `{name}` ({kind.words}); it has: {', '.join(schema.names)}")
        found = schema.field(name).type
        if not kind.fits(found):
            raise DataRefused(f"column `{name}` of {where} is {found}; expected {kind.words}")


def without_zone(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with plain times: one that has a zone (Spark's `timestamp`) is read as it is in UTC."""
    zoned = [name for name in frame.columns if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{name: frame[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned})


def with_exact_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives the inputs the types of the model's signature; a column that had gaps was read as floating point."""
    return without_zone(frame).astype({name: COLUMNS[name].pandas for name in INPUTS})
