# Databricks notebook source
# MAGIC %md
# MAGIC # Train
# MAGIC Trains the model on finished rows, logs everything that explains it to one MLflow run, and registers
# MAGIC exactly the version that was logged.
# MAGIC
# MAGIC The work is done by `mlops_stacks.training`, beside this notebook. Run as a job, the values below come from the
# MAGIC job's parameters; opened by hand, they are what the widgets above say. Without a model name nothing is registered.

# COMMAND ----------

dbutils.widgets.text(
    "training_data",
    "/Volumes/test/mlops_stacks/mlops_stacks_data/training.parquet",
    "Training data",
)
dbutils.widgets.text("model_name", "", "Registered model (catalog.schema.model)")
dbutils.widgets.text("experiment_name", "", "MLflow experiment (empty: this notebook's)")
for name in ("git_commit", "git_branch", "git_origin", "git_edits", "job_id", "job_run_id"):
    dbutils.widgets.text(name, "")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Clean, fit, measure, log

# COMMAND ----------

from mlops_stacks import training
from mlops_stacks.records import Origin

trained = training.train(
    training_data=dbutils.widgets.get("training_data"),
    model_name=dbutils.widgets.get("model_name"),
    experiment_name=dbutils.widgets.get("experiment_name"),
    origin=Origin.from_parameters(dbutils.widgets.get),
    session=globals().get("spark"),  # Databricks has one; a laptop need not
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What the cleaning dropped
# MAGIC A row counts for the first rule that it breaks. The rules are in `mlops_stacks/cleaning.py`.

# COMMAND ----------

display(trained.training.as_table())

# COMMAND ----------

# MAGIC %md
# MAGIC ## How good it is
# MAGIC On the latest fifth of the training set, which the trees have not seen.

# COMMAND ----------

display(trained.metrics_table())

# COMMAND ----------

display(trained.figure)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Hand on
# MAGIC The next tasks work on this very version, whatever else is registered meanwhile.

# COMMAND ----------

import json

dbutils.jobs.taskValues.set("model_name", trained.model_name)
dbutils.jobs.taskValues.set("model_version", trained.model_version)
dbutils.jobs.taskValues.set("model_uri", trained.model_uri)
dbutils.notebook.exit(json.dumps(trained.summary()))
