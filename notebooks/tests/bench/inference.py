"""Measures batch inference against plain `predict`: prints how many times the latter's rows a second it manages.

Both have the version loaded already. Inference reads the file, digests it, applies the rules, predicts batch by batch and
writes the predictions with what stands beside them; plain `predict` is given all rows in memory, clean and typed.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from statistics import median

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import pandas as pd

from mlops_stacks import cleaning, columns, data, inference, records, schema, sources, training, versions

ROWS = 1_000_000
TIMES = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.set_registry_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment("bench", artifact_location=f"file://{folder}/artifacts")
        data.make(f"{folder}/small")
        data.make(f"{folder}/large", rows=ROWS)
        trained = training.train(f"{folder}/small/training.parquet", "bench", "bench")
        path = f"{folder}/large/training.parquet"
        rows = pd.read_parquet(path, columns=list(columns.INPUTS))
        for rule in cleaning.INPUT_RULES:
            rows = rows[~rule.drops(rows)]
        rows = schema.with_exact_types(rows)
        stamp = {"model_name": "bench", "model_version": "1", "run_id": "1", "scored_at": datetime.now(UTC)}
        with versions.opened("bench", trained.model_version) as version:
            plain, whole = [], []
            for _ in range(TIMES):
                began = time.perf_counter()
                version.predict(rows)
                plain.append(len(rows) / (time.perf_counter() - began))
                began = time.perf_counter()
                source = sources.opened(path)
                records.dataset_digest(source.digest())
                with open(f"{folder}/out.parquet", "wb") as target:
                    scored, _ = inference.write_predictions(version, source, target, stamp, path)
                whole.append(scored / (time.perf_counter() - began))
    sys.stderr.write(f"plain {median(plain):,.0f} rows/s, inference {median(whole):,.0f} rows/s\n")
    print(f"{median(whole) / median(plain):.3f}")


if __name__ == "__main__":
    main()
