"""A rule that says which rows are dropped, for pandas and for Spark."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from mlops_stacks.columns import COLUMNS
from mlops_stacks.kinds import NUMBER


@dataclass(frozen=True)
class Rule:
    """Drops the rows for which `drops` is true; `why` is for people, `sql` says the same as `drops` to Spark."""

    name: str
    why: str
    drops: Callable[[pd.DataFrame], pd.Series]
    sql: str = ""


def missing(name: str, why: str, columns: tuple[str, ...]) -> Rule:
    """Drops rows in which one of these columns has no value."""
    gaps = [f"{column} IS NULL" for column in columns]
    gaps += [f"isnan({column})" for column in columns if COLUMNS[column] is NUMBER]
    return Rule(name, why, lambda rows: rows[list(columns)].isna().any(axis=1), " OR ".join(gaps))


def duplicates(why: str) -> Rule:
    """Drops a row that is there before."""
    return Rule("duplicate", why, lambda rows: rows.duplicated(keep="first"))
