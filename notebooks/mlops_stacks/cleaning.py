"""Which rows no model should learn from, or is asked about: rules that have a name and are counted."""

from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.row_rule import Rule, duplicates, missing

INPUT_RULES = (
    missing("missing_value", "an input is missing", INPUTS),
    Rule("no_distance", "a trip of no length", lambda trips: trips["trip_distance"] <= 0, "trip_distance <= 0"),
    Rule("endless_distance", "more than 200 miles", lambda trips: trips["trip_distance"] > 200, "trip_distance > 200"),
)
"""Rules about what is known at pick-up. Inference uses these alone."""

LABEL_RULES = (
    missing("missing_fare", "the fare is missing", (LABEL,)),
    Rule(
        "no_fare",
        "a refund or a correction, not a trip",
        lambda trips: trips[LABEL] <= PROBLEM.above,
        f"{LABEL} <= {PROBLEM.above}",
    ),
    Rule(
        "fare_outlier",
        f"more than {PROBLEM.at_most} dollars: a typing error",
        lambda trips: trips[LABEL] > PROBLEM.at_most,
        f"{LABEL} > {PROBLEM.at_most}",
    ),
)
"""Rules about the label."""

FINISHED_RULES = (
    *LABEL_RULES,
    Rule(
        "ends_before_it_starts",
        "the clock was changed on the way",
        lambda trips: trips["tpep_dropoff_datetime"] < trips["tpep_pickup_datetime"],
    ),
    duplicates("the same trip once more"),
)
"""Rules about rows whose label is known."""
