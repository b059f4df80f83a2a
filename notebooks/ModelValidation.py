# Databricks notebook source
# MAGIC %md
# MAGIC # ModelValidation
# MAGIC Decides whether the version that Train registered may be deployed: it is measured beside the champion, on a test
# MAGIC set that no model trains on. The limits are in `mlops_stacks/thresholds.toml`, with their reasons.
# MAGIC
# MAGIC A version that breaks a rule fails this task, and the job ends here. There is no way around it.

# COMMAND ----------

dbutils.widgets.text(
    "test_data",
    "/Volumes/test/mlops_stacks/mlops_stacks_data/test.parquet",
    "Test data",
)
dbutils.widgets.text(
    "model_name",
    "test.mlops_stacks.mlops_stacks-model",
    "Registered model",
)
dbutils.widgets.text("model_version", "", "Version to judge")
dbutils.widgets.text("experiment_name", "", "MLflow experiment (empty: this notebook's)")
for name in ("git_commit", "git_branch", "git_origin", "git_edits", "job_id", "job_run_id"):
    dbutils.widgets.text(name, "")

# COMMAND ----------

from mlops_stacks import rules, validation
from mlops_stacks.records import Origin

report = validation.validate(
    model_name=dbutils.widgets.get("model_name"),
    model_version=dbutils.widgets.get("model_version"),
    test_data=dbutils.widgets.get("test_data"),
    experiment_name=dbutils.widgets.get("experiment_name"),
    origin=Origin.from_parameters(dbutils.widgets.get),
    session=globals().get("spark"),  # Databricks has one; a laptop need not
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Candidate beside champion
# MAGIC On the test set. A first model has no champion to be compared with.

# COMMAND ----------

display(report.metrics_table())

# COMMAND ----------

# MAGIC %md
# MAGIC ## Rule by rule

# COMMAND ----------

display(rules.as_table(report.checks))

# COMMAND ----------

# MAGIC %md
# MAGIC ## The verdict
# MAGIC It stands as a tag on the version already. When a rule is broken, this cell fails and says which.

# COMMAND ----------

import json

report.raise_if_rejected()
dbutils.jobs.taskValues.set("verdict", report.verdict)
dbutils.notebook.exit(json.dumps(report.summary()))
