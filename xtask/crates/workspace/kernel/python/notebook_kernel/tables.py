"""`display` of what is a table: pandas' frames and series, and what `dbutils.fs.ls` gives."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from IPython.display import display as ipython_display

MOST_ROWS = 1000
# Rows of the text beside the table.
MOST_LINES = 50


def display(*values: Any, **options: Any) -> None:
    """Shows tables with their first rows, and anything else as IPython does."""
    for value in values:
        frame = _frame(value)
        if frame is None:
            ipython_display(value, **options)
        else:
            _show(frame)


def _frame(value: Any) -> Any:
    """The value as a frame of pandas, if it is a table; without pandas nothing is."""
    pandas = sys.modules.get("pandas")
    if _are_records(value):
        import pandas
    if pandas is None:
        return None
    if isinstance(value, pandas.Series):
        return value.to_frame()
    if isinstance(value, pandas.DataFrame):
        return value
    if _are_records(value):
        return pandas.DataFrame([dataclasses.asdict(entry) for entry in value])
    return None


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(dataclasses.is_dataclass(entry) for entry in value)


def _show(frame: Any) -> None:
    count = len(frame)
    shown = frame.head(MOST_ROWS)
    note = f"the first {MOST_ROWS:,} of {count:,} rows" if count > MOST_ROWS else f"{count:,} rows"
    data = {
        "text/html": shown.to_html(border=0, max_rows=None) + f"<p>{note}</p>",
        "text/plain": shown.to_string(max_rows=MOST_LINES) + f"\n[{note}]",
    }
    ipython_display(data, raw=True)
