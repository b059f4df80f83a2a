"""What a model is held against besides the champion: the simplest prediction there is, and the slices of the data."""

import re

import numpy as np
import pandas as pd

from mlops_stacks.columns import LABEL, PROBLEM, SLICES

NAME = "the mean"
"""What the baseline is called in rules and explanations."""

VALUES = 5
"""The most common values of a column that are a slice each."""


def predictions(rows: pd.DataFrame) -> np.ndarray:
    """The mean of the labels of these very rows, for every row: what every model has to beat.

    It has seen the answers, which no model has, so beating it is a little harder than it need be.
    """
    return np.full(len(rows), PROBLEM.truth(rows[LABEL]).mean())


def slices(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which rows belong to each slice (boolean, one for each row)."""
    found = {}
    for column in SLICES:
        for value in rows[column].value_counts().head(VALUES).index:
            name = re.sub(r"\W+", "_", f"{column}_{value}".lower())
            found[name] = (rows[column] == value).to_numpy()
    return found
