"""How far data have moved from the training set: one number for each input column, the population stability index.

A training set's profile is kept inside each model version, so that inference needs no training data, wherever the
version was copied to. A column of numbers is cut into parts by borders that divide the training rows into ten equal ones
(fewer where one value is very common). Each of the ten most common values of a text column is a part, and all others
together are one. The profile has the share of the training rows in each part. With p the share in training and q the
share now, and no share taken as less than SMALLEST_SHARE,

    PSI = sum over the parts of (q - p) x ln(q / p)

which is 0 for equal shares and grows with every part that gained or lost. A time counts by its minute of the day: dates
always move. Integers count as numbers: a part is a range of neighbouring numbers.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from mlops_stacks.columns import COLUMNS, INPUTS
from mlops_stacks.kinds import TEXT

PARTS = 10
SMALLEST_SHARE = 1e-4
"""A part that is empty on one side would make the index infinite."""


@dataclass(frozen=True)
class ColumnProfile:
    """How the training rows spread over one column.

    Attributes:
        borders: the inner borders of numbers, increasing; a value on a border belongs to the part above it.
        shares: the share (0..1) of the rows in each part; one more than there are borders or values.
        values: the most common values of text.
    """

    borders: list[float]
    shares: list[float]
    values: list[str] = field(default_factory=list)

    def counts(self, column: pd.Series) -> np.ndarray:
        """How many of these values fall into each part."""
        if self.values:
            found = pd.Index(self.values, dtype=object).get_indexer(column.astype(object))
            parts = np.where(found < 0, len(self.values), found)
        else:
            parts = np.searchsorted(self.borders, as_numbers(column), side="right")
        return np.bincount(parts, minlength=len(self.shares))

    def stability(self, counts: np.ndarray) -> float:
        """The population stability index of rows that are spread like this; nan when there are none."""
        if counts.sum() == 0:
            return float("nan")
        then = np.maximum(self.shares, SMALLEST_SHARE)
        now = np.maximum(counts / counts.sum(), SMALLEST_SHARE)
        return float(np.sum((now - then) * np.log(now / then)))

    def part_names(self) -> list[str]:
        """A name for each part: `< 1.2`, `1.2 - 3`, ..., `>= 9`; or the values, and `other`."""
        if self.values:
            return [*self.values, "other"]
        if not self.borders:
            return ["all"]
        between = [f"{low:.6g} - {high:.6g}" for low, high in pairwise(self.borders)]
        return [f"< {self.borders[0]:.6g}", *between, f">= {self.borders[-1]:.6g}"]


Profile = dict[str, ColumnProfile]
"""The profile of each input column."""


def as_numbers(values: pd.Series) -> np.ndarray:
    """The numbers that the index is computed on: minutes since midnight for times, else the values themselves."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return (values.dt.hour * 60 + values.dt.minute).to_numpy(dtype=float)
    return values.to_numpy(dtype=float)


def profile(rows: pd.DataFrame) -> Profile:
    """The profile of clean rows; n rows in, at most PARTS parts for each input column out, one more for text."""
    found = {}
    for name in INPUTS:
        borders, values = [], []
        if COLUMNS[name] is TEXT:
            values = sorted(rows[name].value_counts().head(PARTS).index)
        else:
            borders = np.unique(np.quantile(as_numbers(rows[name]), np.arange(1, PARTS) / PARTS)).tolist()
        empty = ColumnProfile(borders, [0.0] * (len(borders) + len(values) + 1), values)
        found[name] = ColumnProfile(borders, (empty.counts(rows[name]) / len(rows)).tolist(), values)
    return found


def to_plain(profiles: Profile) -> dict[str, dict[str, list]]:
    """A profile as plain lists and numbers, to be kept with a model."""
    return {name: asdict(column) for name, column in profiles.items()}


def from_plain(plain: dict[str, dict[str, list]]) -> Profile:
    """What `to_plain` made, back again, in the order of the inputs.

    A column that is no input any more is left out, and one that was text and is not, or the other way round.
    """
    found = {name: ColumnProfile(**plain[name]) for name in INPUTS if name in plain}
    return {name: column for name, column in found.items() if bool(column.values) == (COLUMNS[name] is TEXT)}


def spread(profiles: Profile, batches: Iterable[pd.DataFrame]) -> dict[str, np.ndarray]:
    """Rows in each part of each column, added up over batches, so that memory use does not grow with the data."""
    counts = {name: np.zeros(len(column.shares), dtype=np.int64) for name, column in profiles.items()}
    for batch in batches:
        for name, column in profiles.items():
            counts[name] += column.counts(batch[name])
    return counts
