import mlflow
import pandas as pd

model = mlflow.pyfunc.load_model("models:/dev.ml.taxi@champion")
champion = mlflow.MlflowClient().get_model_version_by_alias("dev.ml.taxi", "champion")
assert str(champion.version) == dbutils.widgets.get("version")
prediction = next(iter(model.predict(pd.DataFrame({"a": [3.0]}))))
dbutils.notebook.exit(f"prediction {prediction}")
