"""Which rows no model should learn from, or is asked about: rules that have a name and are counted."""

from mlops_stacks.columns import INPUTS, LABEL, PROBLEM, RANGES
from mlops_stacks.row_rule import Rule, duplicates, missing


def outside(column: str, low: float, high: float) -> Rule:
    """Drops rows in which a number is not in its range."""
    return Rule(
        f"{column}_out_of_range",
        f"{column} is not from {low:g} to {high:g}",
        lambda rows: ~rows[column].between(low, high),
        f"{column} < {low} OR {column} > {high}",
    )


INPUT_RULES = (
    missing("missing_value", "an input is missing", INPUTS),
    *(outside(column, *limits) for column, limits in RANGES.items()),
)
"""Rules about the inputs. Inference uses these alone."""

LABEL_RULES = (
    missing("missing_label", f"{LABEL} is missing", (LABEL,)),
    Rule(
        "impossible_label",
        f"{LABEL} is not above {PROBLEM.above:g} and at most {PROBLEM.at_most:g}",
        lambda rows: (rows[LABEL] <= PROBLEM.above) | (rows[LABEL] > PROBLEM.at_most),
        f"{LABEL} <= {PROBLEM.above} OR {LABEL} > {PROBLEM.at_most}",
    ),
)
"""Rules about the label."""

FINISHED_RULES = (*LABEL_RULES, duplicates("the same row once more"))
"""Rules about rows whose label is known."""
