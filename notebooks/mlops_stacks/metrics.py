"""Errors of predicted fares, in dollars, overall and by slice."""

import numpy as np
import pandas as pd

DISTANCE_SLICES = {
    "under_2_miles": (0, 2),
    "2_to_5_miles": (2, 5),
    "5_to_10_miles": (5, 10),
    "over_10_miles": (10, 1e9),
}
HOUR_SLICES = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}


def regression_metrics(fares: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """RMSE, mean absolute error and bias in dollars, and R squared; nan where a prediction is not a number."""
    error = np.asarray(predicted, dtype=float) - np.asarray(fares, dtype=float)
    spread = float(np.var(fares))
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "bias": float(np.mean(error)),
        "r2": float(1 - np.mean(error**2) / spread) if spread > 0 else float("nan"),
    }


def slices(trips: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which rows belong to each slice (boolean, one for each row): by distance, and by time of day."""
    miles, hour = trips["trip_distance"].to_numpy(), trips["tpep_pickup_datetime"].dt.hour.to_numpy()
    by_distance = {name: (miles >= low) & (miles < high) for name, (low, high) in DISTANCE_SLICES.items()}
    by_hour = {name: (hour >= low) & (hour < high) for name, (low, high) in HOUR_SLICES.items()}
    return by_distance | by_hour


def distance_alone(miles: np.ndarray, fares: np.ndarray) -> np.ndarray:
    """The best straight line from distance to fare, fitted to these very rows: what every model has to beat.

    It has seen the answers, which no model has, so beating it is a little harder than it need be.
    """
    slope, start = np.polyfit(miles, fares, 1)
    return start + slope * miles
