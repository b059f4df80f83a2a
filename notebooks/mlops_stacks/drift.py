"""How far data have moved from the training set: one number for each input column, the population stability index.

A training set's profile is kept inside each model version, so that inference needs no training data, wherever the
version was copied to. For each input column it has the borders that cut the training rows into ten equal parts, and the
share of the rows in each part (fewer parts where one value is very common). With p the share in training and q the
share now, and no share taken as less than SMALLEST_SHARE,

    PSI = sum over the parts of (q - p) x ln(q / p)

which is 0 for equal shares and grows with every part that gained or lost. A time counts by its minute of the day: dates
always move. Zip codes count as numbers, so a part is a range of neighbouring areas.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from mlops_stacks.columns import INPUTS

PARTS = 10
SMALLEST_SHARE = 1e-4
"""A part that is empty on one side would make the index infinite."""


@dataclass(frozen=True)
class ColumnProfile:
    """How the training rows spread over one column.

    Attributes:
        borders: the inner borders, increasing; a value on a border belongs to the part above it.
        shares: the share (0..1) of the rows in each part; one more than there are borders.
    """

    borders: list[float]
    shares: list[float]

    def counts(self, values: pd.Series) -> np.ndarray:
        """How many of these values fall into each part."""
        parts = np.searchsorted(self.borders, as_numbers(values), side="right")
        return np.bincount(parts, minlength=len(self.shares))

    def stability(self, counts: np.ndarray) -> float:
        """The population stability index of rows that are spread like this; nan when there are none."""
        if counts.sum() == 0:
            return float("nan")
        then = np.maximum(self.shares, SMALLEST_SHARE)
        now = np.maximum(counts / counts.sum(), SMALLEST_SHARE)
        return float(np.sum((now - then) * np.log(now / then)))


Profile = dict[str, ColumnProfile]
"""The profile of each input column."""


def as_numbers(values: pd.Series) -> np.ndarray:
    """The numbers that the index is computed on: minutes since midnight for times, else the values themselves."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return (values.dt.hour * 60 + values.dt.minute).to_numpy(dtype=float)
    return values.to_numpy(dtype=float)


def profile(trips: pd.DataFrame) -> Profile:
    """The profile of clean trips; n rows in, at most PARTS parts for each input column out."""
    found = {}
    for name in INPUTS:
        numbers = as_numbers(trips[name])
        borders = np.unique(np.quantile(numbers, np.arange(1, PARTS) / PARTS)).tolist()
        empty = ColumnProfile(borders, [0.0] * (len(borders) + 1))
        found[name] = ColumnProfile(borders, (empty.counts(trips[name]) / len(trips)).tolist())
    return found


def to_plain(profiles: Profile) -> dict[str, dict[str, list[float]]]:
    """A profile as plain lists and numbers, to be kept with a model."""
    return {name: asdict(column) for name, column in profiles.items()}


def from_plain(plain: dict[str, dict[str, list[float]]]) -> Profile:
    """What `to_plain` made, back again, in the order of the inputs; a column that is no input any more is left out."""
    return {name: ColumnProfile(**plain[name]) for name in INPUTS if name in plain}


def spread(profiles: Profile, batches: Iterable[pd.DataFrame]) -> dict[str, np.ndarray]:
    """Rows in each part of each column, added up over batches, so that memory use does not grow with the data."""
    counts = {name: np.zeros(len(column.shares), dtype=np.int64) for name, column in profiles.items()}
    for batch in batches:
        for name, column in profiles.items():
            counts[name] += column.counts(batch[name])
    return counts
