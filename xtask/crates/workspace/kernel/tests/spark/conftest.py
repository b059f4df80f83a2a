"""These need pyspark and Java: `cargo xtask ci --only spark-notebooks` runs them in an environment that has both."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(autouse=True)
def _needs_spark() -> None:
    pytest.importorskip("pyspark", reason="needs pyspark: `cargo xtask ci --only spark-notebooks`")
    if shutil.which("java") is None:
        pytest.skip("needs Java 17")
