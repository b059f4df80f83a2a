"""MLflow's experiments and runs, Unity Catalog, and one registry seen from three sides."""

from pathlib import Path
from typing import Any

from clients import CLI, MLFLOW, SDK, Clients, refusal
from rows_files import schema
from table import row


def experiment(clients: Clients, name: str) -> str:
    """The id of a new experiment in the user's folder, made with MLflow."""
    return clients.mlflow.create_experiment(f"{clients.home}/{name}")


@row("MLflow runs", "an experiment by its name", writes=MLFLOW, reads=SDK)
def an_experiment(clients: Clients, name: str) -> None:
    experiment_id = experiment(clients, name)
    found = clients.sdk.experiments.get_by_name(f"{clients.home}/{name}").experiment
    assert found.experiment_id == experiment_id


@row("MLflow runs", "a deleted experiment frees its name", writes=SDK, reads=MLFLOW)
def a_deleted_experiment(clients: Clients, name: str) -> None:
    path = f"{clients.home}/{name}"
    first = clients.sdk.experiments.create_experiment(path).experiment_id
    clients.sdk.experiments.delete_experiment(first)
    assert clients.mlflow.get_experiment_by_name(path) is None
    second = clients.sdk.experiments.create_experiment(path).experiment_id
    assert clients.mlflow.get_experiment_by_name(path).experiment_id == second != first


@row("MLflow runs", "parameters, metrics and tags", writes=MLFLOW, reads=CLI)
def what_a_run_logs(clients: Clients, name: str) -> None:
    run_id = clients.mlflow.create_run(experiment(clients, name), tags={"team": "fares"}).info.run_id
    clients.mlflow.log_param(run_id, "rounds", 100)
    for step, value in enumerate([3.0, 2.0]):
        clients.mlflow.log_metric(run_id, "rmse", value, step=step)
    clients.mlflow.set_terminated(run_id)
    shown = clients.cli("experiments", "get-run", run_id)["run"]
    assert shown["info"]["status"] == "FINISHED"
    assert {"key": "rounds", "value": "100"} in shown["data"]["params"]
    assert {"key": "team", "value": "fares"} in shown["data"]["tags"]
    assert [metric["value"] for metric in shown["data"]["metrics"]] == [2.0]


@row("MLflow runs", "a metric", writes=CLI, reads=MLFLOW)
def a_metric(clients: Clients, name: str) -> None:
    experiment_id = experiment(clients, name)
    run_id = clients.cli("experiments", "create-run", "--experiment-id", experiment_id)["run"]["info"]["run_id"]
    clients.cli("experiments", "log-metric", "rmse", 1.5, 1_700_000_000_000, "--run-id", run_id)
    assert clients.mlflow.get_run(run_id).data.metrics == {"rmse": 1.5}


@row("MLflow runs", "files of a run", writes=MLFLOW, reads=CLI)
def files_of_a_run(clients: Clients, name: str) -> None:
    run_id = clients.mlflow.create_run(experiment(clients, name)).info.run_id
    clients.mlflow.log_text(run_id, "residuals", "plots/residuals.txt")
    listed = clients.cli("experiments", "list-artifacts", "--run-id", run_id, "--path", "plots")
    assert [(file["path"], file["file_size"]) for file in listed] == [("plots/residuals.txt", 9)]
    assert clients.mlflow.list_artifacts(run_id, "plots")[0].path == "plots/residuals.txt"
    loaded = clients.mlflow.download_artifacts(run_id, "plots/residuals.txt", str(clients.folder))
    assert Path(loaded).read_text() == "residuals"


@row("Unity Catalog", "a schema", writes=CLI, reads=SDK)
def a_schema(clients: Clients, name: str) -> None:
    schema(clients, f"{name}-first")
    clients.cli("schemas", "create", name, "conformance", "--comment", "fares")
    found = clients.sdk.schemas.get(f"conformance.{name}")
    assert (found.name, found.comment) == (name, "fares")
    clients.cli("schemas", "delete", f"conformance.{name}")
    assert name not in {entry.name for entry in clients.sdk.schemas.list("conformance")}


@row("Unity Catalog", "a volume", writes=SDK, reads=CLI)
def a_volume(clients: Clients, name: str) -> None:
    from databricks.sdk.service.catalog import VolumeType

    schema(clients, name)
    clients.sdk.volumes.create("conformance", name, "data", VolumeType.MANAGED, comment="fares")
    shown = clients.cli("volumes", "read", f"conformance.{name}.data")
    assert (shown["volume_type"], shown["comment"]) == ("MANAGED", "fares")


@row("Unity Catalog", "grants", writes=SDK, reads=CLI)
def grants(clients: Clients, name: str) -> None:
    from databricks.sdk.service.catalog import PermissionsChange, Privilege

    full_name = schema(clients, name)
    change = PermissionsChange(principal="account users", add=[Privilege.USE_SCHEMA])
    clients.sdk.grants.update("schema", full_name, changes=[change])
    assigned = clients.cli("grants", "get", "schema", full_name)["privilege_assignments"]
    assert assigned == [{"principal": "account users", "privileges": ["USE_SCHEMA"]}]


def version(clients: Clients, name: str, model: str) -> Any:
    """A version of a registered model that predicts a constant, logged in a run as a project would."""
    import mlflow
    import pandas as pd

    class Constant(mlflow.pyfunc.PythonModel):
        def predict(self, model_input: pd.DataFrame) -> list[float]:
            return [7.0] * len(model_input)

    mlflow.set_experiment(f"{clients.home}/{name}")
    trips = pd.DataFrame({"distance": [1.0, 2.0]})
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=Constant(),
            input_example=trips,
            signature=mlflow.models.infer_signature(trips, [7.0, 7.0]),
            pip_requirements=["mlflow"],
        )
        return mlflow.register_model(logged.model_uri, model, tags={"team": "fares"})


@row("Registry", "a registered model", writes=CLI, reads=f"{MLFLOW}, {SDK}")
def a_registered_model(clients: Clients, name: str) -> None:
    schema(clients, name)
    place = ("--catalog-name", "conformance", "--schema-name", name, "--name", "fares")
    clients.cli("registered-models", "create", *place, "--comment", "from the CLI")
    assert clients.mlflow.get_registered_model(f"conformance.{name}.fares").description == "from the CLI"
    assert clients.sdk.registered_models.get(f"conformance.{name}.fares").comment == "from the CLI"


@row("Registry", "a version with its run", writes=MLFLOW, reads=f"{SDK}, {CLI}")
def a_version(clients: Clients, name: str) -> None:
    schema(clients, name)
    model = f"conformance.{name}.fares"
    made = version(clients, name, model)
    found = clients.sdk.model_versions.get(model, int(made.version))
    assert (found.run_id, found.status.value) == (made.run_id, "READY")
    listed = clients.cli("model-versions", "list", model)
    assert [(entry["version"], entry["run_id"]) for entry in listed] == [(int(made.version), made.run_id)]
    assert clients.mlflow.get_model_version(model, made.version).tags["team"] == "fares"


@row("Registry", "an alias", writes=MLFLOW, reads=CLI)
def an_alias(clients: Clients, name: str) -> None:
    schema(clients, name)
    model = f"conformance.{name}.fares"
    made = version(clients, name, model)
    clients.mlflow.set_registered_model_alias(model, "champion", made.version)
    assert clients.cli("model-versions", "get-by-alias", model, "champion")["version"] == int(made.version)
    clients.mlflow.delete_registered_model_alias(model, "champion")
    assert not clients.cli("registered-models", "get", model, "--include-aliases").get("aliases")


@row("Registry", "an alias, set by the catalog's own route", writes=SDK, reads=MLFLOW)
def an_alias_of_the_catalog(clients: Clients, name: str) -> None:
    schema(clients, name)
    model = f"conformance.{name}.fares"
    made = version(clients, name, model)
    clients.sdk.registered_models.set_alias(model, "champion", int(made.version))
    assert clients.mlflow.get_model_version_by_alias(model, "champion").version == made.version


@row("Registry", "a model is loaded by its alias, and predicts", writes=SDK, reads=MLFLOW)
def a_loaded_model(clients: Clients, name: str) -> None:
    import mlflow
    import pandas as pd

    schema(clients, name)
    model = f"conformance.{name}.fares"
    made = version(clients, name, model)
    clients.sdk.registered_models.set_alias(model, "champion", int(made.version))
    loaded = mlflow.pyfunc.load_model(f"models:/{model}@champion")
    assert list(loaded.predict(pd.DataFrame({"distance": [3.0]}))) == [7.0]


@row("Registry", "a copy in another catalog, with the same files", writes=MLFLOW, reads=SDK)
def a_copy(clients: Clients, name: str) -> None:
    import mlflow

    schema(clients, name)
    if not any(catalog.name == "elsewhere" for catalog in clients.sdk.catalogs.list()):
        clients.sdk.catalogs.create("elsewhere")
    clients.sdk.schemas.create(name, "elsewhere")
    source = version(clients, name, f"conformance.{name}.fares")
    copied = clients.mlflow.copy_model_version(f"models:/{source.name}/{source.version}", f"elsewhere.{name}.fares")
    assert clients.sdk.model_versions.get(copied.name, int(copied.version)).status.value == "READY"

    def files(uri: str, folder: str) -> dict[str, bytes]:
        root = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(clients.folder / folder)))
        found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        # Unity Catalog adds this one on upload.
        return {path: content for path, content in found.items() if path != "registered_model_meta"}

    original = files(f"models:/{source.name}/{source.version}", f"{name}-original")
    assert original
    assert files(f"models:/{copied.name}/{copied.version}", f"{name}-copy") == original


@row("Registry", "what is deleted is gone", writes=SDK, reads=MLFLOW)
def a_deleted_version(clients: Clients, name: str) -> None:
    schema(clients, name)
    model = f"conformance.{name}.fares"
    made = version(clients, name, model)
    clients.sdk.model_versions.delete(model, int(made.version))
    assert [found.version for found in clients.mlflow.search_model_versions(f"name='{model}'")] == []
    clients.sdk.registered_models.delete(model)
    with refusal("not found"):
        clients.cli("registered-models", "get", model)
