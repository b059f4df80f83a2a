# Databricks notebook source
# MAGIC %md
# MAGIC # BatchInference
# MAGIC Predicts with the champion, with the model version, the job run and the time beside each row. Rows are a Parquet
# MAGIC file, and a folder gets the predictions; or a table (`catalog.schema.table`), scored with Spark into another table.
# MAGIC The same input is not scored twice by the same version.
# MAGIC
# MAGIC Then it compares the rows with those that the model was trained on, and the predictions with the labels that are
# MAGIC known by now. The limits are in `mlops_stacks/thresholds.toml`; when one is passed, it says how to train again.

# COMMAND ----------

dbutils.widgets.text(
    "inference_input",
    "/Volumes/test/mlops_stacks/mlops_stacks_data/inference_input.parquet",
    "Rows to score: a file or a table",
)
dbutils.widgets.text(
    "output",
    "/Volumes/test/mlops_stacks/mlops_stacks_data/predictions",
    "Predictions: a folder or a table",
)
dbutils.widgets.text(
    "model_name",
    "test.mlops_stacks.mlops_stacks-model",
    "Registered model",
)
dbutils.widgets.text("model_alias", "champion", "Which version: an alias")
dbutils.widgets.text("finished_rows", "", "Rows whose label is known by now (empty: none)")
dbutils.widgets.text("retrain_command", "", "What to type when a limit is passed")
dbutils.widgets.text("experiment_name", "", "MLflow experiment (empty: this notebook's)")
for name in ("git_commit", "git_branch", "git_origin", "git_edits", "job_id", "job_run_id"):
    dbutils.widgets.text(name, "")

# COMMAND ----------

from mlops_stacks import batch_inference

session = globals().get("spark")  # Databricks has one; a laptop need not

scored = batch_inference.score(
    session,
    model_name=dbutils.widgets.get("model_name"),
    inference_input=dbutils.widgets.get("inference_input"),
    output=dbutils.widgets.get("output"),
    alias=dbutils.widgets.get("model_alias"),
    job_run_id=dbutils.widgets.get("job_run_id"),
)
print(scored.sentence())

# COMMAND ----------

# MAGIC %md
# MAGIC ## The first predictions

# COMMAND ----------

display(scored.sample())

# COMMAND ----------

# MAGIC %md
# MAGIC ## Does the model still fit?
# MAGIC Drift of each input against the training set, and the error where labels have arrived.

# COMMAND ----------

from mlops_stacks import monitoring, rules
from mlops_stacks.records import Origin

watched = monitoring.monitor(
    model_name=dbutils.widgets.get("model_name"),
    model_version=scored.model_version,
    in_use=monitoring.InUse(
        scored=scored.scored_rows(),
        finished=batch_inference.finished_rows(session, dbutils.widgets.get("finished_rows")),
        digest=scored.input_digest,
        path=dbutils.widgets.get("inference_input"),
    ),
    retrain_command=dbutils.widgets.get("retrain_command"),
    experiment_name=dbutils.widgets.get("experiment_name"),
    origin=Origin.from_parameters(dbutils.widgets.get),
)
display(rules.as_table(watched.checks))
if watched.figure is not None:
    display(watched.figure)
print(watched.sentence())

# COMMAND ----------

import json

dbutils.notebook.exit(json.dumps(scored.summary() | {"monitoring": watched.summary()}))
