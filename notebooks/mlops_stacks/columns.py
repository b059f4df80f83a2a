"""The project in one place: what the data are, what is predicted, and how a prediction is measured.

The limits are in thresholds.toml, the rules that drop rows in cleaning.py. Another project begins here.
"""

from mlops_stacks.kinds import INTEGER, NUMBER, TIME
from mlops_stacks.problem import Regression

COLUMNS = {
    "tpep_pickup_datetime": TIME,
    "tpep_dropoff_datetime": TIME,
    "trip_distance": NUMBER,
    "fare_amount": NUMBER,
    "pickup_zip": INTEGER,
    "dropoff_zip": INTEGER,
}
"""Every column that is read, and what it holds: local time without zone, miles, US dollars, five-digit zip codes."""

INPUTS = ("tpep_pickup_datetime", "trip_distance", "pickup_zip", "dropoff_zip")
"""What is known at pick-up: the only columns a model may see. Adding one here is a decision to be reviewed."""

LABEL = "fare_amount"

PROBLEM = Regression(answer="fare", unit="dollars", above=0, at_most=400, primary="rmse")
"""What is predicted, in which unit, and the metric that decides: problem.py has all of them, and which way is better."""

LATER_BY = "tpep_pickup_datetime"
"""The column that says which rows are later: training measures on the latest. Empty: on the last ones, as they come."""
