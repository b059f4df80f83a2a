"""Generates taxi trips that a model can learn from: `python -m mlops_stacks.data make --out DIR`.

A fare is a sum that is written down here, so that one knows what a good model must find and where it must stop:

    fare = 5.00 + 2.60 x miles                 what distance alone explains
         + toll(area, area)                    bridges and tunnels (zones.py)
         + 5.00 if it touches an airport
         + traffic(hour, weekend) x miles      busy streets cost time; twice as much in Manhattan
         + 1.00 from 20:00 to 06:00            night
         + 2.50 on workdays from 16:00 to 20:00
         + noise, normal, NOISE_DOLLARS        not known at pick-up

The noise is time lost on the way, which also moves the drop-off. So the drop-off time tells the fare almost exactly,
and is the leak that validation has to catch: it is not known when a price is asked for.

DIRTY_SHARES says which share of rows is spoilt, and how. Trips across the end of summer time can end before they start.
The training set comes first in time, then the test set, then the inference input, whose trips have drifted: they are
longer and more of them touch an airport. The same seed writes the same bytes.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_stacks import zones
from mlops_stacks.columns import COLUMNS
from mlops_stacks.files import replaced

NOISE_DOLLARS = 2.0
"""Standard deviation of the noise: no honest model has a lower RMSE on clean rows."""

DIRTY_SHARES = {
    "negative_fare": 0.004,
    "zero_distance": 0.006,
    "fare_outlier": 0.002,
    "missing_value": 0.005,
    "duplicate": 0.005,
}
"""Share of rows that is spoilt, by kind. The kinds never overlap."""

ROWS_PER_GROUP = 100_000
"""Rows made and written at a time: memory use does not grow with the number of rows."""

DEFAULT_ROWS = 20_000

SCHEMA = pa.schema([(name, kind.arrow) for name, kind in COLUMNS.items()])

END_OF_SUMMER_TIME = np.datetime64("2025-11-02T02:00:00", "us")
HOURLY_DEMAND = np.array([4, 3, 2, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 6, 6, 6, 6, 7, 8, 8, 7, 7, 6, 5], dtype=float)
TRAFFIC_DOLLARS_PER_MILE = np.array(
    [0, 0, 0, 0, 0, 0, 0.2, 0.7, 1.1, 0.9, 0.6, 0.5, 0.6, 0.6, 0.8, 1.0, 1.2, 1.3, 1.1, 0.7, 0.4, 0.2, 0.1, 0]
)


@dataclass(frozen=True)
class DataSet:
    """One file to make: which months, and how far its trips have drifted from those of the training set."""

    name: str
    start: str
    end: str
    share_of_rows: float
    longer_by: float = 0.0
    airport_factor: float = 1.0


DATA_SETS = (
    DataSet("training", "2025-07-01", "2026-01-01", 1.0),
    DataSet("test", "2026-01-01", "2026-03-01", 0.25),
    DataSet("inference_input", "2026-03-01", "2026-05-01", 0.25, longer_by=0.25, airport_factor=2.5),
)


def make(folder: str, rows: int = DEFAULT_ROWS, seed: int = 0) -> dict[str, int]:
    """Writes training.parquet, test.parquet and inference_input.parquet into `folder`, replacing what was there.

    Args:
        folder: where to write; created if it is missing.
        rows: size of the training set; the other two have a quarter of it each.
        seed: the same seed and number of rows give the same bytes.

    Returns:
        The number of rows written, by file name.
    """
    if rows < 100:
        raise ValueError(f"rows is {rows}: a data set needs at least 100 rows; pass --rows 100 or more")
    written = {}
    for number, data_set in enumerate(DATA_SETS):
        size = int(rows * data_set.share_of_rows)
        with replaced(os.path.join(folder, f"{data_set.name}.parquet")) as file:
            write(file, data_set, size, [seed, number])
        written[f"{data_set.name}.parquet"] = size
    return written


def write(file: BinaryIO, data_set: DataSet, rows: int, seed: list[int]) -> None:
    """Streams `rows` trips as Parquet into `file`, one row group at a time, in order of their pick-up."""
    with pq.ParquetWriter(file, SCHEMA, compression="snappy") as writer:
        for group, first in enumerate(range(0, rows, ROWS_PER_GROUP)):
            last = min(first + ROWS_PER_GROUP, rows)
            generator = np.random.default_rng([*seed, group])
            writer.write_table(trips(generator, data_set, last - first, (first / rows, last / rows)))


def trips(generator: np.random.Generator, data_set: DataSet, rows: int, part: tuple[float, float]) -> pa.Table:
    """Makes `rows` trips from the given part (0..1) of the data set's months, some of them spoilt."""
    pickup = pickup_times(generator, data_set, rows, part)
    airport = zones.AREAS.index("Airport")
    weight = np.where(airport == zones.AREA, data_set.airport_factor, 1.0) * zones.WEIGHT
    start, end = generator.choice(len(weight), size=(2, rows), p=weight / weight.sum())
    straight = np.hypot(zones.EAST[start] - zones.EAST[end], zones.NORTH[start] - zones.NORTH[end])
    miles = (0.6 + 1.25 * straight) * generator.lognormal(0.0, 0.15, rows) * (1 + data_set.longer_by)
    noise = generator.normal(0.0, NOISE_DOLLARS, rows)
    fare = expected_fare(pickup, miles, start, end) + noise
    minutes = np.maximum(4 + 3.5 * miles + 2 * noise, 1.0)
    dropoff = pickup + (minutes * 60e6).astype("timedelta64[us]")
    crosses = (pickup < END_OF_SUMMER_TIME) & (dropoff >= END_OF_SUMMER_TIME)
    dropoff = np.where(crosses, dropoff - np.timedelta64(1, "h"), dropoff)
    columns = {
        "tpep_pickup_datetime": pickup,
        "tpep_dropoff_datetime": dropoff,
        "trip_distance": np.round(miles, 2),
        "fare_amount": np.round(np.maximum(fare, 1.0), 2),
        "pickup_zip": zones.ZIP_CODES[start],
        "dropoff_zip": zones.ZIP_CODES[end],
    }
    return spoilt(generator, columns)


def pickup_times(generator: np.random.Generator, data_set: DataSet, rows: int, part: tuple[float, float]) -> np.ndarray:
    """Draws pick-up times, in order, so that each hour of the day is as busy as HOURLY_DEMAND says."""
    start, end = np.datetime64(data_set.start, "h"), np.datetime64(data_set.end, "h")
    hours = int((end - start).astype(int))
    busy = np.concatenate([[0.0], np.cumsum(np.tile(HOURLY_DEMAND, hours // 24 + 1)[:hours])])
    drawn = np.sort(generator.uniform(part[0], part[1], rows)) * busy[-1]
    seconds = np.interp(drawn, busy, np.arange(hours + 1)) * 3600
    return start.astype("datetime64[us]") + seconds.astype("int64").astype("timedelta64[s]")


def expected_fare(pickup: np.ndarray, miles: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The fare in dollars without its noise; `start` and `end` are indices into zones.ZONES."""
    hour = (pickup.astype("datetime64[h]").astype(np.int64)) % 24
    weekday = (pickup.astype("datetime64[D]").astype(np.int64) + 3) % 7
    workday = weekday < 5
    from_area, to_area = zones.AREA[start], zones.AREA[end]
    manhattan, airport = zones.AREAS.index("Manhattan"), zones.AREAS.index("Airport")
    traffic = TRAFFIC_DOLLARS_PER_MILE[hour] * np.where(workday, 1.0, 0.4)
    traffic = traffic * np.where((from_area == manhattan) | (to_area == manhattan), 2.0, 1.0)
    fare = 5.0 + 2.6 * miles + traffic * miles + zones.toll_table()[from_area, to_area]
    fare += np.where((from_area == airport) | (to_area == airport), 5.0, 0.0)
    fare += np.where((hour >= 20) | (hour < 6), 1.0, 0.0)
    return fare + np.where(workday & (hour >= 16) & (hour < 20), 2.5, 0.0)


def spoilt(generator: np.random.Generator, columns: dict[str, np.ndarray]) -> pa.Table:
    """Spoils a share of the rows as DIRTY_SHARES says, each row in one way at most."""
    rows = len(columns["fare_amount"])
    chance = generator.uniform(size=rows)
    limits = np.concatenate([[0.0], np.cumsum(list(DIRTY_SHARES.values()))])
    chosen = {
        kind: (chance >= low) & (chance < high)
        for kind, low, high in zip(DIRTY_SHARES, limits[:-1], limits[1:], strict=True)
    }
    fare, miles = columns["fare_amount"], columns["trip_distance"]
    fare[chosen["negative_fare"]] *= -1
    fare[chosen["fare_outlier"]] = fare[chosen["fare_outlier"]] * 40 + 500
    miles[chosen["zero_distance"]] = 0.0
    copies = np.flatnonzero(chosen["duplicate"])
    copies = copies[(copies > 0) & (chance[copies - 1] >= limits[-1])]  # only a clean neighbour is copied
    for values in columns.values():
        values[copies] = values[copies - 1]
    missing = chosen["missing_value"]
    first_half = missing & (np.arange(rows) % 2 == 0)
    masks = {"trip_distance": first_half, "pickup_zip": missing & ~first_half}
    arrays = [pa.array(columns[field.name], type=field.type, mask=masks.get(field.name)) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def main(arguments: list[str] | None = None) -> int:
    """The command line: make --out DIR [--rows N] [--seed S]."""
    parser = argparse.ArgumentParser(
        prog="python -m mlops_stacks.data",
        description="Generate taxi trips.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make", help="write training.parquet, test.parquet and inference_input.parquet")
    maker.add_argument("--out", required=True, metavar="DIR", help="folder to write into; created if missing")
    maker.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="rows of the training set (default %(default)s)")
    maker.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        written = make(chosen.out, chosen.rows, chosen.seed)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for name, rows in written.items():
        sys.stdout.write(f"{os.path.join(chosen.out, name)}: {rows:,} rows\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
