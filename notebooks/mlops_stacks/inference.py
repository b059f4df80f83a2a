"""Scores rows with the champion: files in, a folder of Parquet parts out, each input once for each model version."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_stacks import files, records, registry, sources, versions
from mlops_stacks.cleaning import INPUT_RULES, LABEL_RULES
from mlops_stacks.columns import INPUTS, LABEL, PROBLEM
from mlops_stacks.schema import DataRefused, check_schema, with_exact_types

ROWS_PER_BATCH = 100_000
"""Rows scored at a time: memory use does not grow with the input."""

ADDED = pa.schema(
    [
        *PROBLEM.fields,
        ("not_scored", pa.string()),
        ("model_name", pa.string()),
        ("model_version", pa.string()),
        ("run_id", pa.string()),
        ("scored_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""Added to the inputs: the prediction, or the rule that forbids one; the model; the job run; the time (UTC)."""


@dataclass(frozen=True)
class Scored:
    """What inference did.

    Attributes:
        part: the Parquet file that holds the predictions.
        input_digest: digest of what was scored.
        model_version: the version that made them.
        rows: rows in the part; each input row has one.
        not_scored: rows among them without a prediction, as an input rule forbids it.
        skipped: True when this input had been scored by this version before, and nothing was done.
    """

    part: str
    input_digest: str
    model_version: str
    rows: int
    not_scored: int
    skipped: bool

    def sentence(self) -> str:
        """What happened, for people to read."""
        return sentence(self.part, self.model_version, self.rows, self.not_scored, self.skipped)

    def summary(self) -> dict[str, object]:
        """What the notebook answers with, as JSON."""
        return asdict(self)

    def scored_rows(self) -> Iterator[pd.DataFrame]:
        """The input columns of the rows that have a prediction, some rows at a time."""
        with open(self.part, "rb") as file:
            for batch in pq.ParquetFile(file).iter_batches(ROWS_PER_BATCH, columns=[*INPUTS, "not_scored"]):
                rows = batch.to_pandas()
                yield rows.loc[rows["not_scored"].isna(), list(INPUTS)]

    def sample(self, rows: int = 10) -> pd.DataFrame:
        """The first rows of the part."""
        with open(self.part, "rb") as file:
            return next(pq.ParquetFile(file).iter_batches(rows)).to_pandas()


def sentence(output: str, version: str, rows: int, not_scored: int, skipped: bool) -> str:
    """What inference did, for people to read."""
    if skipped:
        return f"Version {version} has already scored this input: {output}"
    left = f", {not_scored:,} of them without a prediction" if not_scored else ""
    return f"Version {version} scored {rows:,} rows{left}: {output}"


def version_to_use(model_name: str, alias: str) -> str:
    """The version that carries the alias; says what sets it when none does."""
    registry.use_registry_of(model_name)
    version = registry.version_of_alias(model_name, alias)
    if version is None:
        raise LookupError(f"{model_name} has no version with alias `{alias}`; run the training job, which sets it")
    return version


def score(
    model_name: str, inference_input: str, output: str, alias: str = records.CHAMPION, job_run_id: str = ""
) -> Scored:
    """Scores what is at a path and adds the result to the folder `output` as one part.

    The part's name is made of the input's digest and the version, so a second run for the same input finds it there.

    Args:
        model_name: registered model.
        inference_input: path of a Parquet file, of a folder of them or of a Delta table's folder; only the INPUTS of columns.py are read.
        output: folder of the predictions; created if it is missing.
        alias: which version scores.
        job_run_id: written beside each prediction.
    """
    version = version_to_use(model_name, alias)
    source = sources.opened(inference_input)
    digest = records.dataset_digest(source.digest())
    part = os.path.join(output, f"part-{digest[7:23]}-version-{version}.parquet")
    if os.path.exists(part):
        with open(part, "rb") as file:
            reasons = pq.ParquetFile(file).read(columns=["not_scored"])["not_scored"]
        return Scored(part, digest, version, len(reasons), len(reasons) - reasons.null_count, skipped=True)
    stamp = {"model_name": model_name, "model_version": version, "run_id": job_run_id, "scored_at": datetime.now(UTC)}
    with versions.opened(model_name, version) as opened, files.replaced(part) as target:
        require_inputs(opened, f"version {version} of {model_name}")
        rows, not_scored = write_predictions(opened, source, target, stamp, inference_input)
    return Scored(part, digest, version, rows, not_scored, skipped=False)


def require_inputs(version: versions.Version, label: str) -> None:
    """Refuses a version that was trained with inputs which this code does not give it any more."""
    missing = version.lacks(INPUTS)
    if missing:
        raise DataRefused(
            f"{label} needs {', '.join(missing)}, which is not an input in columns.py (any more). Train a version without it, "
            "or score with the code of its training"
        )


def write_predictions(
    model: versions.Version, source: sources.Source, target: BinaryIO, stamp: dict[str, object], where: str
) -> tuple[int, int]:
    """Streams predictions for `source` into `target`; returns how many rows, and how many of them have none."""
    check_schema(source.schema(), INPUTS, where)
    rows = not_scored = 0
    writer = None
    for batch in source.batches(INPUTS, ROWS_PER_BATCH):
        table = scored_batch(model, batch, stamp)
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
        rows += table.num_rows
        not_scored += table.num_rows - table["not_scored"].null_count
    if writer is None:
        raise DataRefused(f"{where} has no rows to score")
    writer.close()
    return rows, not_scored


def finished_rows(path: str) -> Iterator[pd.DataFrame]:
    """Clean rows at a path whose label is known, some rows at a time; none when there are no labels (yet)."""
    if not sources.exists(path):
        return
    source = sources.opened(path)
    if LABEL not in source.schema().names:
        return
    check_schema(source.schema(), (*INPUTS, LABEL), path)
    for batch in source.batches((*INPUTS, LABEL), ROWS_PER_BATCH):
        rows = batch.to_pandas()
        for rule in (*INPUT_RULES, *LABEL_RULES):
            rows = rows[~rule.drops(rows)]
        yield rows


def scored_batch(model: versions.Version, batch: pa.Table, stamp: dict[str, object]) -> pa.Table:
    """One batch with its predictions; rows that an input rule forbids carry the rule's name instead."""
    rows = batch.to_pandas()
    reason = pd.Series(None, index=rows.index, dtype=object)
    for rule in reversed(INPUT_RULES):
        reason[rule.drops(rows)] = rule.name
    good = reason.isna()
    predicted = np.full(len(rows) if PROBLEM.width == 1 else (len(rows), PROBLEM.width), np.nan)
    if good.any():
        predicted[good] = model.predict(with_exact_types(rows[good]))
    added = {name: pa.array(values, mask=~good.to_numpy()) for name, values in PROBLEM.columns(predicted).items()}
    added["not_scored"] = pa.array(reason.where(~good, None).tolist(), pa.string())
    for field in ADDED:
        values = added.get(field.name)
        if values is None:
            values = pa.array([stamp[field.name]] * len(rows), field.type)
        batch = batch.append_column(field, values)
    return batch
