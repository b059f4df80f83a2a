"""What a model is held against besides the champion: the simplest prediction there is, and the slices of the data."""

import numpy as np
import pandas as pd

from mlops_stacks.columns import LABEL, PROBLEM

NAME = "distance alone"
"""What the baseline is called in rules and explanations."""

DISTANCE_SLICES = {
    "under_2_miles": (0, 2),
    "2_to_5_miles": (2, 5),
    "5_to_10_miles": (5, 10),
    "over_10_miles": (10, 1e9),
}
HOUR_SLICES = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}


def predictions(trips: pd.DataFrame) -> np.ndarray:
    """The best straight line from distance to fare, fitted to these very rows: what every model has to beat.

    It has seen the answers, which no model has, so beating it is a little harder than it need be.
    """
    miles = trips["trip_distance"].to_numpy()
    slope, start = np.polyfit(miles, PROBLEM.truth(trips[LABEL]), 1)
    return start + slope * miles


def slices(trips: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which rows belong to each slice (boolean, one for each row): by distance, and by time of day."""
    miles, hour = trips["trip_distance"].to_numpy(), trips["tpep_pickup_datetime"].dt.hour.to_numpy()
    by_distance = {name: (miles >= low) & (miles < high) for name, (low, high) in DISTANCE_SLICES.items()}
    by_hour = {name: (hour >= low) & (hour < high) for name, (low, high) in HOUR_SLICES.items()}
    return by_distance | by_hour
