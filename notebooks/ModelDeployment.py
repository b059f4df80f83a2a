# Databricks notebook source
# MAGIC %md
# MAGIC # ModelDeployment
# MAGIC Makes the validated version the champion: whoever loads `models:/<name>@champion` gets it from now on, the batch
# MAGIC inference job among them. The version that it replaces is written down, so that one can go back.
# MAGIC
# MAGIC Only a version whose own verdict is `passed` can be deployed. Running this twice changes nothing.

# COMMAND ----------

dbutils.widgets.text("model_name", "test.mlops_stacks.mlops_stacks-model", "Registered model")
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
