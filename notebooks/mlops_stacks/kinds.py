"""The kinds of values that a column may hold, in the words of each tool that reads it."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types


@dataclass(frozen=True)
class Kind:
    """What a column holds.

    Attributes:
        words: for people.
        fits: whether a column of an Arrow type can be read as this.
        arrow: the type that a generator writes.
        pandas: the type in a model's signature, in pandas' words.
        mlflow: the same in MLflow's words.
        spark: what Spark reads it as; a time stays what it is, with a zone or without.
        placeholder: what a model is asked about in place of a row that must not be scored.
    """

    words: str
    fits: Callable[[pa.DataType], bool]
    arrow: pa.DataType
    pandas: str
    mlflow: str
    spark: str
    placeholder: object


def _is_text(found: pa.DataType) -> bool:
    """Text, whichever way it is stored."""
    found = found.value_type if types.is_dictionary(found) else found
    return types.is_string(found) or types.is_large_string(found) or types.is_string_view(found)


def _is_number(found: pa.DataType) -> bool:
    return types.is_floating(found) or types.is_integer(found)


TIME = Kind("a timestamp", types.is_timestamp, pa.timestamp("us"), "datetime64[us]", "datetime", "", "2000-01-01")
NUMBER = Kind("a number", _is_number, pa.float64(), "float64", "double", "double", 1.0)
INTEGER = Kind("an integer", types.is_integer, pa.int32(), "int32", "integer", "int", 0)
LONG = Kind("an integer", types.is_integer, pa.int64(), "int64", "long", "bigint", 0)
FLAG = Kind("true or false", types.is_boolean, pa.bool_(), "bool", "boolean", "boolean", False)
TEXT = Kind("text", _is_text, pa.string(), "str", "string", "string", "")
