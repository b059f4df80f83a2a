# Databricks notebook source
# MAGIC %md
# MAGIC # ModelDeployment
# MAGIC Makes the validated version the champion: `models:/<name>@champion` loads it from now on, also in the batch
# MAGIC inference job. The replaced version is recorded, so that the change can be undone.
# MAGIC
# MAGIC Only a version whose own verdict is `passed` can be deployed. Running this twice changes nothing.

# COMMAND ----------

dbutils.widgets.text(
    "model_name",
    "test.mlops_stacks.mlops_stacks-model",
    "Registered model",
)
dbutils.widgets.text("model_version", "", "Version to deploy")

# COMMAND ----------

import json

from mlops_stacks import deployment

deployed = deployment.deploy(
    model_name=dbutils.widgets.get("model_name"),
    model_version=dbutils.widgets.get("model_version"),
)
print(deployed.sentence())

# COMMAND ----------

dbutils.notebook.exit(json.dumps(deployed.summary()))
