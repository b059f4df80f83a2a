import mlflow
import pandas as pd

mlflow.set_registry_uri("databricks-uc")
mlflow.set_experiment("/Users/ml.developer@workspace.local/taxi")


class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["a"] * 2


# COMMAND ----------

data = pd.DataFrame({"a": [1.0, 2.0]})
signature = mlflow.models.infer_signature(data, data["a"])
with mlflow.start_run():
    mlflow.log_metric("rmse", 0.5)
    mlflow.log_text("<script>alert(1)</script>", "report.html")
    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=Doubles(),
        signature=signature,
        pip_requirements=["mlflow"],
        registered_model_name="dev.ml.taxi",
    )

# COMMAND ----------

version = info.registered_model_version
mlflow.MlflowClient().set_registered_model_alias("dev.ml.taxi", "champion", version)
dbutils.jobs.taskValues.set("version", version)
