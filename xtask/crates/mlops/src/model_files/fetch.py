"""Downloads a version's files: `fetch.py models:/NAME/VERSION FOLDER TRACKING REGISTRY`.

Credentials come from the environment.
"""

import sys

import mlflow

source, folder, tracking, registry = sys.argv[1:5]
mlflow.set_tracking_uri(tracking)
mlflow.set_registry_uri(registry)
mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=folder)
