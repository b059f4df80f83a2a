"""Generates rows that a model can learn from; delete this file and its test when columns.py names a sample of your own.

The target is a sum that is written down here, so that one knows what a good model must find and where it must stop:

    target = 20 + number_1 + 2 x number_2, the latter only for the categories a and b
           + 8 from 8:00 to 18:00
           + 0.5 x count, and 5 more with the flag
           + noise, normal, NOISE

The inference input has drifted: its number_1 is larger. A small share of all rows is spoilt (SPOILT).
"""

import numpy as np
import pandas as pd

NOISE = 4.0
"""Standard deviation of the noise: no honest model has a lower RMSE on clean rows."""

START = {"training": "2025-01-01", "test": "2025-07-01", "inference_input": "2025-09-01"}
DAYS = {"training": 181, "test": 62, "inference_input": 61}
DRIFT = {"inference_input": 8.0}
"""What is added to number_1."""

SPOILT = {"missing_value": 0.005, "number_1_out_of_range": 0.005, "impossible_label": 0.003, "duplicate": 0.005}
"""Share of the rows that break a rule of cleaning.py. The kinds never overlap."""


def rows(data_set: str, size: int, seed: list[int]) -> pd.DataFrame:
    """Rows of a data set, in order of time."""
    chance = np.random.default_rng(seed)
    seconds = np.sort(chance.integers(0, DAYS[data_set] * 86_400, size))
    frame = pd.DataFrame(
        {
            "happened_at": pd.Timestamp(START[data_set]) + pd.to_timedelta(seconds, unit="s"),
            "number_1": np.round(chance.uniform(5, 45, size) + DRIFT.get(data_set, 0.0), 2),
            "number_2": np.round(np.clip(chance.normal(0, 3, size), -10, 10), 2),
            "count": chance.poisson(4, size),
            "flag": chance.uniform(size=size) < 0.3,
            "category": chance.choice(["a", "b", "c", "d"], size, p=[0.4, 0.3, 0.2, 0.1]),
        }
    )
    noise = chance.normal(0, NOISE, size)
    frame["known_later"] = np.round(noise + chance.normal(0, 0.5, size), 2)
    frame["target"] = np.round(np.clip(expected(frame) + noise, 0.1, 199), 2)
    return spoil(frame, chance.uniform(size=size))


def expected(frame: pd.DataFrame) -> pd.Series:
    """The target without its noise."""
    day = frame["happened_at"].dt.hour.between(8, 17)
    known = frame["category"].isin(["a", "b"])
    return 20 + frame["number_1"] + 2 * frame["number_2"] * known + 8 * day + 0.5 * frame["count"] + 5 * frame["flag"]


def spoil(frame: pd.DataFrame, drawn: np.ndarray) -> pd.DataFrame:
    """Spoils a share of the rows, each in one way; `drawn` is a number from 0 to 1 for each row."""
    ends = np.cumsum(list(SPOILT.values()))
    starts = (0.0, *ends[:-1])
    kind = {name: (drawn >= low) & (drawn < high) for name, low, high in zip(SPOILT, starts, ends, strict=True)}
    frame.loc[kind["missing_value"], "number_2"] = np.nan
    frame.loc[kind["number_1_out_of_range"], "number_1"] *= -1
    frame.loc[kind["impossible_label"], "target"] *= -1
    copies = np.flatnonzero(kind["duplicate"])
    copies = copies[(copies > 0) & (drawn[copies - 1] >= ends[-1])]  # only a clean neighbour is copied
    frame.iloc[copies] = frame.iloc[copies - 1]
    return frame
