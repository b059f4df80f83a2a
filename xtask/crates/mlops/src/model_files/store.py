"""Uploads a folder into a version that is pending registration: `store.py NAME VERSION FOLDER TRACKING REGISTRY`.

Credentials come from the environment.

MLflow's public API creates a version and uploads its files in one call. Here the version exists already, with the tags
by which an interrupted promotion finds it, so this calls the upload part of MLflow's store.
"""

import sys

import mlflow
from mlflow.protos.databricks_uc_registry_messages_pb2 import GetModelVersionRequest
from mlflow.store._unity_catalog.registry.rest_store import UcModelRegistryStore
from mlflow.utils.proto_json_utils import message_to_json

name, version, folder, tracking, registry = sys.argv[1:6]
mlflow.set_tracking_uri(tracking)
store = UcModelRegistryStore(store_uri=registry, tracking_uri=tracking)
asked = message_to_json(GetModelVersionRequest(name=name, version=version))
found = store._call_endpoint(GetModelVersionRequest, asked).model_version
store._get_artifact_repo(found, name).log_artifacts(local_dir=folder, artifact_path="")
