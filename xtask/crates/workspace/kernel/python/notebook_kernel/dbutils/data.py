"""`dbutils.data`."""

from __future__ import annotations

from typing import Any

from notebook_kernel.spark import frames
from notebook_kernel.utility import Utility


class Data(Utility):
    """Looking at a data set."""

    _called = "dbutils.data"

    def summarize(self, df: Any, precise: bool = False) -> None:
        """Shows statistics of a frame's columns, without the charts of Databricks."""
        frames.show(df.summary() if frames.is_frame(df) else df.describe(include="all"))
