"""What MLflow is told about a data set: where it is, what is in it, and its digest."""

import warnings
from collections.abc import Iterable

import mlflow
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, Schema

from mlops_stacks.columns import COLUMNS

DIGEST_CHARACTERS = 32
"""MLflow takes 36 at most; the tags have the whole digest."""


def schema(columns: Iterable[str]) -> Schema:
    """MLflow's schema of these columns."""
    return Schema([ColSpec(COLUMNS[name].mlflow, name) for name in columns])


def log_input(context: str, path: str, sha256: str, columns: Iterable[str]) -> None:
    """Makes a file an input of the active run; the data stay where they are.

    Args:
        context: what the run does with it: training, validation, inference.
        path: where it is.
        sha256: of its bytes, 64 hex digits.
        columns: those that are read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow knows two names for a local file, and says so each time
        source = resolve_dataset_source(path)
    name = path.rstrip("/").rpartition("/")[2]
    dataset = MetaDataset(source, name=name, digest=sha256[:DIGEST_CHARACTERS], schema=schema(columns))
    mlflow.log_input(dataset, context=context)
