"""The model as it is logged: rows as they come in, predictions out.

MLflow keeps this file, the features and the trees with each version ("models from code") and runs the file when the
version is loaded. Nothing is pickled, so a version loads under another Python, and runs no code of the package as it is
today. Hence this file imports nothing of the package.
"""

import importlib.util
from types import ModuleType

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext


class TreeModel(PythonModel):
    """Features and LightGBM trees behind MLflow's predict."""

    def load_context(self, context: PythonModelContext) -> None:
        """Loads the version's own features and trees."""
        import lightgbm

        self._features = _module_of_this_version(context.artifacts["features"]).Features()
        with open(context.artifacts["trees"], encoding="utf-8") as file:
            self._trees = lightgbm.Booster(model_str=file.read())

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: dict | None = None) -> np.ndarray:
        """A prediction for each row."""
        return self._trees.predict(self._features.transform(model_input))


def _module_of_this_version(path: str) -> ModuleType:
    """Runs a Python file as a private module, so that two versions never share one."""
    spec = importlib.util.spec_from_file_location("features_of_this_version", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mlflow.models.set_model(TreeModel())
