"""Fetches a model version's files: `fetch.py models:/NAME/VERSION FOLDER REGISTRY`, signed in by the environment."""

import sys

import mlflow

mlflow.set_tracking_uri("databricks")
mlflow.set_registry_uri(sys.argv[3])
mlflow.artifacts.download_artifacts(artifact_uri=sys.argv[1], dst_path=sys.argv[2])
