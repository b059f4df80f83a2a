"""Turns what is known at pick-up into numbers that trees can split on.

A copy of this file travels inside every model version, so that an old champion keeps the features it was trained with
while this file changes. It therefore imports nothing of this package and keeps no state.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

FEATURES = (
    "trip_distance",
    "hour",
    "minute_of_day",
    "weekday",
    "is_workday",
    "pickup_zip",
    "dropoff_zip",
    "pickup_area",
    "dropoff_area",
    "same_area",
)
"""The columns that the model is trained on, in order."""


class Features(BaseEstimator, TransformerMixin):
    """A scikit-learn transformer: raw columns in (any order, others ignored), one float64 column per feature out."""

    def fit(self, trips: pd.DataFrame, labels: object = None) -> "Features":
        """Learns nothing: every feature is a fixed function of its own row."""
        return self

    def transform(self, trips: pd.DataFrame) -> pd.DataFrame:
        """Computes the features; n rows in, n rows out, in the same order."""
        pickup = pd.to_datetime(trips["tpep_pickup_datetime"])
        hour, weekday = pickup.dt.hour, pickup.dt.day_of_week
        # The first three digits of a zip code name its post office area, coarser than a zone.
        pickup_area, dropoff_area = trips["pickup_zip"] // 100, trips["dropoff_zip"] // 100
        table = pd.DataFrame(
            {
                "trip_distance": trips["trip_distance"],
                "hour": hour,
                "minute_of_day": hour * 60 + pickup.dt.minute,
                "weekday": weekday,
                "is_workday": weekday < 5,
                "pickup_zip": trips["pickup_zip"],
                "dropoff_zip": trips["dropoff_zip"],
                "pickup_area": pickup_area,
                "dropoff_area": dropoff_area,
                "same_area": pickup_area == dropoff_area,
            },
            index=trips.index,
        )
        return table[list(FEATURES)].astype(np.float64)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """The names of the features, as scikit-learn asks for them."""
        return np.array(FEATURES, dtype=object)
