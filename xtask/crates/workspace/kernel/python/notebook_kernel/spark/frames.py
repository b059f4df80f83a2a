"""Showing a Spark frame: its first rows as a table, as `display` does on Databricks."""

from __future__ import annotations

import sys
from typing import Any

from IPython.display import display as ipython_display

from notebook_kernel.tables import display

MOST_ROWS = 1000


def is_frame(value: Any) -> bool:
    """Whether this is a Spark frame; without Spark nothing is."""
    pyspark = sys.modules.get("pyspark.sql")
    return pyspark is not None and isinstance(value, pyspark.DataFrame)


def show(*values: Any, **options: Any) -> None:
    """`display(…)`: Spark frames as tables, anything else as it is shown without Spark."""
    for value in values:
        if is_frame(value):
            _show_frame(value)
        else:
            display(value, **options)


def add_display() -> None:
    """`frame.display()`, for library code too."""
    from pyspark.sql import DataFrame

    DataFrame.display = lambda self, *_, **__: show(self)


def _show_frame(frame: Any) -> None:
    if frame.isStreaming:
        raise TypeError("display: streaming frames are not supported; write it to a table and display that")
    rows = frame.limit(MOST_ROWS + 1).toPandas()
    note = f"the first {MOST_ROWS:,} rows" if len(rows) > MOST_ROWS else f"{len(rows):,} rows"
    rows = rows.head(MOST_ROWS)
    data = {
        "text/html": rows.to_html(index=False, border=0, na_rep="null") + f"<p>{note}</p>",
        "text/plain": rows.to_string(index=False, max_rows=50, na_rep="null") + f"\n[{note}]",
    }
    ipython_display(data, raw=True)
