"""The registry's verbs, where there are aliases and where there are stages only; MLflow's own store behind both."""

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ENDPOINT_NOT_FOUND

from mlops_stacks import deployment, inference, records, registry


@pytest.fixture(params=["aliases", "stages"])
def kind(request, monkeypatch) -> str:
    """With `stages`, MLflow's calls for aliases answer what a registry answers that does not know them."""
    if request.param == "stages":

        def unknown(*_, **__):
            raise MlflowException("No API found for '/mlflow/registered-models/alias'", ENDPOINT_NOT_FOUND)

        for call in ("get_model_version_by_alias", "set_registered_model_alias", "delete_registered_model_alias"):
            monkeypatch.setattr(MlflowClient, call, unknown)
    return request.param


@pytest.fixture
def name(store, kind, request) -> str:
    """A model of three versions, all of which have passed."""
    name = f"test.unit.{kind}_{request.node.originalname}"
    client = MlflowClient()
    client.create_registered_model(name)
    for _ in range(3):
        version = client.create_model_version(name, "file:///nowhere").version
        verdict = {records.VERDICT: "passed", records.VERDICT_FOR: f"{name}/{version}"}
        registry.tag_version(name, version, verdict)
    return name


def both(name: str) -> tuple[str | None, str | None]:
    return registry.version_of_alias(name, records.CHAMPION), registry.version_of_alias(name, records.CHALLENGER)


def test_an_alias_is_given_moved_and_taken(name):
    assert both(name) == (None, None)
    registry.remove_alias(name, records.CHALLENGER)
    for version in ("1", "2", "2"):
        registry.set_alias(name, records.CHALLENGER, version)
        assert both(name) == (None, version)
    registry.set_alias(name, records.CHAMPION, "3")
    assert both(name) == ("3", "2")
    registry.remove_alias(name, records.CHALLENGER)
    assert both(name) == ("3", None)


def test_deployment_is_the_same(name):
    deployment.deploy(name, "1")
    registry.set_alias(name, records.CHALLENGER, "2")
    assert deployment.deploy(name, "2") == deployment.Deployed(name, "2", "1", True)
    assert both(name) == ("2", None)
    assert deployment.deploy(name, "2") == deployment.Deployed(name, "2", "1", False)
    assert deployment.deploy(name, "1").previous_champion == "2"
    assert both(name) == ("1", None)
    assert inference.version_to_use(name, records.CHAMPION) == "1"


def test_a_champion_that_passes_again_stays_champion(name):
    deployment.deploy(name, "1")
    registry.set_alias(name, records.CHALLENGER, "1")
    assert registry.version_of_alias(name, records.CHAMPION) == "1"
    deployment.deploy(name, "1")
    assert both(name) == ("1", None)


def test_the_name_says_which_registry_is_meant(monkeypatch):
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "databricks")
    current = {"uri": ""}
    monkeypatch.setattr(mlflow, "get_registry_uri", lambda: current["uri"])
    monkeypatch.setattr(mlflow, "set_registry_uri", lambda uri: current.update(uri=uri))
    for before, name, after in [
        ("databricks-uc", "prod.sales.model", "databricks-uc"),
        ("databricks", "prod.sales.model", "databricks-uc"),
        ("databricks://staging", "prod.sales.model", "databricks-uc://staging"),
        ("databricks-uc", "prod-sales-model", "databricks"),
        ("databricks", "prod-sales-model", "databricks"),
        ("sqlite:///x.db", "prod-sales-model", "sqlite:///x.db"),
        ("sqlite:///x.db", "prod.sales.model", "sqlite:///x.db"),
    ]:
        current["uri"] = before
        registry.use_registry_of(name)
        assert current["uri"] == after, (before, name)
