"""Tables of known trips: the digest that docs/records.md defines, and every rule of cleaning.py once."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from mlops_stacks import cleaning, table_inference, tables
from mlops_stacks.columns import INPUTS, LABEL
from mlops_stacks.schema import FINISHED

pytestmark = pytest.mark.spark
SAMPLE = str(Path(__file__).parents[1] / "fixtures" / "trips.parquet")


def test_digest_of_known_rows_never_changes(spark):
    """Records would not be comparable any more: docs/records.md defines it."""
    trips = spark.read.parquet(SAMPLE).select(*FINISHED)
    assert tables.content(trips) == (400, "749a8909fead5b1e285e9f09bdf5dfbe406439877aa194141221145c1768d59b")


def test_rules_in_sql_say_what_they_say_in_pandas(spark):
    rules = (*cleaning.INPUT_RULES, *cleaning.LABEL_RULES)
    start = datetime(2026, 1, 1)
    good = (start, 2.0, 10001, 11201, 9.0)
    rows = [good]
    for place, value in [
        (0, None),
        (1, None),
        (2, None),
        (3, None),
        (1, 0.0),
        (1, 201.0),
        (4, None),
        (4, 0.0),
        (4, 401.0),
    ]:
        rows.append((*good[:place], value, *good[place + 1 :]))
    kinds = (
        "tpep_pickup_datetime timestamp_ntz, trip_distance double, pickup_zip int, dropoff_zip int, fare_amount double"
    )
    table = spark.createDataFrame(rows, kinds)
    found = table.select(table_inference.broken_rule(rules).alias("rule")).toPandas()["rule"]
    frame = pd.DataFrame(rows, columns=[*INPUTS, LABEL])
    expected = [
        next((rule.name for rule in rules if rule.drops(frame.iloc[[i]]).any()), None) for i in range(len(rows))
    ]
    assert [value if isinstance(value, str) else None for value in found] == expected
    assert set(expected) == {None, *(rule.name for rule in rules)}
