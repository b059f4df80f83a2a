"""Model versions: which one an alias names, and their files here. Asks whatever registry MLflow is set to."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel

from mlops_stacks import records

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")
"""What a registry answers when no version has the alias: Unity Catalog the first, open-source MLflow the second."""


@dataclass(frozen=True)
class LoadedVersion:
    """A model version, loaded from files whose digest is known.

    Attributes:
        name: registered model.
        version: its number.
        model: what predicts.
        artifact_digest: the digest of the very files it was loaded from.
    """

    name: str
    version: str
    model: PyFuncModel
    artifact_digest: str

    @property
    def inputs(self) -> list[str] | None:
        """The input columns that the signature names; None without a signature, or with an unnamed input."""
        schema = self.model.metadata.get_input_schema()
        return schema.input_names() if schema is not None and schema.has_input_names() else None


def version_of_alias(name: str, alias: str) -> str | None:
    """The number of the version that carries the alias, or None when no version does."""
    try:
        return str(MlflowClient().get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code in ABSENT and (error.error_code != "INVALID_PARAMETER_VALUE" or "alias" in str(error)):
            return None
        raise


@contextmanager
def loaded(name: str, version: str) -> Iterator[LoadedVersion]:
    """Fetches a version's files, loads the model from them, and removes them at the end."""
    with tempfile.TemporaryDirectory() as folder:
        local = mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=folder)
        digest = records.artifact_digest(local)  # first: loading a model's code leaves compiled files beside it
        yield LoadedVersion(name, version, mlflow.pyfunc.load_model(local), digest)


def tag_version(name: str, version: str, tags: dict[str, str]) -> None:
    """Sets tags on a version, in the order given."""
    client = MlflowClient()
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, records.shortened(value))


def remove_alias(name: str, alias: str) -> None:
    """Removes an alias; nothing happens when no version carries it."""
    if version_of_alias(name, alias) is not None:
        MlflowClient().delete_registered_model_alias(name, alias)
