"""The project in one place: what the data are, what is predicted, and how a prediction is measured.

To use a table of your own, change this file first: docs/your-data.md has every step. The limits are in thresholds.toml.
"""

from mlops_stacks.kinds import FLAG, INTEGER, NUMBER, TEXT, TIME
from mlops_stacks.problem import Classification

PROBLEM = Classification(answer="target", positive="yes", negative="no", primary="log_loss")
"""The kind of task: one of two labels. Predicted is the probability of `positive`. The primary metric decides whether a
model is good enough: problem.py has all metrics, and which way is better.
"""

LABEL = "target"
"""The column that is predicted."""

COLUMNS = {
    "happened_at": TIME,
    "number_1": NUMBER,
    "number_2": NUMBER,
    "count": INTEGER,
    "flag": FLAG,
    "category": TEXT,
    "known_later": NUMBER,
    "target": TEXT,
}
"""Every column that is read, and its kind (kinds.py). Other columns of a table are ignored."""

INPUTS = ("happened_at", "number_1", "number_2", "count", "flag", "category")
"""What is known when the model is asked: the only columns that it may see. `known_later` is not, so it is no input."""

RANGES = {"number_1": (0, 100), "number_2": (-10, 10), "count": (0, 50)}
"""Lowest and highest value of an input; rows beyond are dropped in training, and get no prediction."""

LATER_BY = "happened_at"
"""The column that says which rows are later: training measures on the latest. Empty: on the last ones, as they come."""

SLICES = ("category",)
"""Columns whose most common values are judged separately: better on the whole must not mean much worse for some."""

SAMPLE = ""
"""A Parquet file with rows of your own, relative to the repository. Empty: example.py generates rows."""
