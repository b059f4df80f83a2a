import mlflow

model = mlflow.pyfunc.load_model("models:/dev.ml.taxi@champion")
champion = mlflow.MlflowClient().get_model_version_by_alias("dev.ml.taxi", "champion")
assert str(champion.version) == dbutils.widgets.get("version")
