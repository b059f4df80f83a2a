# Databricks notebook source
# MAGIC %md
# MAGIC # BatchInference
# MAGIC Predicts fares with the champion, and adds them to a folder of Parquet files with the model version, the job run
# MAGIC and the time beside each. The same input is not scored twice by the same version.

# COMMAND ----------

dbutils.widgets.text("inference_input", "/Volumes/test/mlops_stacks/mlops_stacks_data/inference_input.parquet", "Trips")
dbutils.widgets.text("output", "/Volumes/test/mlops_stacks/mlops_stacks_data/predictions", "Folder for predictions")
dbutils.widgets.text("model_name", "test.mlops_stacks.mlops_stacks-model", "Registered model")
dbutils.widgets.text("model_alias", "champion", "Which version: an alias")
dbutils.widgets.text("job_run_id", "")

# COMMAND ----------

from mlops_stacks import inference

scored = inference.score(
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

import json

dbutils.notebook.exit(json.dumps(scored.summary()))
