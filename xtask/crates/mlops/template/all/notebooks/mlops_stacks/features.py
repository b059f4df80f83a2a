"""Turns the inputs into numbers that trees can split on.

A copy of this file travels inside every model version, so that an old champion keeps the features it was trained with
while this file changes. It therefore imports nothing of this package and keeps no state.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

NUMBERS = ("number_1", "number_2", "count", "flag")
"""Inputs that are numbers already, or true and false."""

TIMES = ("happened_at",)
"""Inputs that are times: each gives the hour, the day of the week and the month."""

CATEGORIES = {"category": ("a", "b", "c", "d")}
"""Inputs that are text, with the values that a model can tell apart; all other values count as one more."""

FEATURES = (*NUMBERS, *(f"{name}_{part}" for name in TIMES for part in ("hour", "weekday", "month")), *CATEGORIES)
"""The columns that the model is trained on, in order. To add one, name it here and compute it below."""


class Features(BaseEstimator, TransformerMixin):
    """A scikit-learn transformer: raw columns in (any order, others ignored), one float64 column per feature out."""

    def fit(self, rows: pd.DataFrame, labels: object = None) -> "Features":
        """Learns nothing: every feature is a fixed function of its own row."""
        return self

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Computes the features; n rows in, n rows out, in the same order."""
        table = {name: rows[name] for name in NUMBERS}
        for name in TIMES:
            time = pd.to_datetime(rows[name]).dt
            table |= {f"{name}_hour": time.hour, f"{name}_weekday": time.day_of_week, f"{name}_month": time.month}
        for name, values in CATEGORIES.items():
            table[name] = pd.Index(values, dtype=object).get_indexer(rows[name].astype(object))
        return pd.DataFrame(table, index=rows.index)[list(FEATURES)].astype(np.float64)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """The names of the features, as scikit-learn asks for them."""
        return np.array(FEATURES, dtype=object)
