"""Model versions: which one an alias names, and their tags.

Two generations of registries are understood. Unity Catalog's models have names of three levels, and aliases. The
workspace's own registry has names of one level, and on Databricks stages in place of aliases: there `champion` is the
version in the stage Production, `challenger` the one in Staging. A version has one stage, so a champion that passes
validation once more stays champion and is no challenger besides.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mlops_stacks import records

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")
"""What a registry answers when no version has the alias: Unity Catalog the first, open-source MLflow the second."""


STAGES = {records.CHAMPION: "Production", records.CHALLENGER: "Staging"}
"""The stages that stand for the aliases, where a registry has none."""

NO_STAGE = "None"
UNITY_CATALOG, WORKSPACE = "databricks-uc", "databricks"


def use_registry_of(name: str) -> None:
    """Turns MLflow to the registry that a model of this name is in: Unity Catalog's for three levels, else the workspace's.

    A registry that is neither (a server or a file of one's own) keeps whatever names it is given, and stays.
    """
    current = mlflow.get_registry_uri()
    if len(name.split(".")) == 3:
        if current.split("://")[0] == WORKSPACE:
            mlflow.set_registry_uri(current.replace(WORKSPACE, UNITY_CATALOG, 1))
    elif current.split("://")[0] == UNITY_CATALOG:
        mlflow.set_registry_uri(mlflow.get_tracking_uri())


def version_of_alias(name: str, alias: str) -> str | None:
    """The number of the version that carries the alias, or None when no version does."""
    try:
        return str(MlflowClient().get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if _has_no_aliases(error):
            return _version_in_stage(name, STAGES.get(alias, alias))
        if error.error_code in ABSENT and (error.error_code != "INVALID_PARAMETER_VALUE" or "alias" in str(error)):
            return None
        raise


def set_alias(name: str, alias: str, version: str) -> None:
    """Gives the alias to a version, and takes it from the one that had it."""
    try:
        MlflowClient().set_registered_model_alias(name, alias, version)
    except MlflowException as error:
        if not _has_no_aliases(error):
            raise
        if alias == records.CHALLENGER and _version_in_stage(name, STAGES[records.CHAMPION]) == version:
            return
        _move(name, version, STAGES[alias])


def remove_alias(name: str, alias: str) -> None:
    """Removes an alias; nothing happens when no version carries it."""
    version = version_of_alias(name, alias)
    if version is None:
        return
    try:
        MlflowClient().delete_registered_model_alias(name, alias)
    except MlflowException as error:
        if not _has_no_aliases(error):
            raise
        _move(name, version, NO_STAGE)


def _has_no_aliases(error: MlflowException) -> bool:
    return error.error_code == "ENDPOINT_NOT_FOUND"


def _version_in_stage(name: str, stage: str) -> str | None:
    """The newest version in a stage. Another word than a stage's is refused by the registry."""
    with _without_advice():
        found = MlflowClient().get_latest_versions(name, stages=[stage])
    return str(found[0].version) if found else None


def _move(name: str, version: str, stage: str) -> None:
    """Moves a version into a stage, and out of it whatever was there, in one call."""
    with _without_advice():
        MlflowClient().transition_model_version_stage(
            name, version, stage, archive_existing_versions=stage in STAGES.values()
        )


@contextmanager
def _without_advice() -> Iterator[None]:
    """MLflow advises to use aliases in place of stages, which this registry does not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def tag_version(name: str, version: str, tags: dict[str, str]) -> None:
    """Sets tags on a version, in the order given."""
    client = MlflowClient()
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, records.shortened(value))
