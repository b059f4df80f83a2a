"""The default smoke test of a model version: predicts on the input that was logged with it."""

import argparse
import json
import math
import os
import sys


def predictions(folder):
    import mlflow
    import numpy as np

    model = mlflow.pyfunc.load_model(folder)
    example = model.metadata.load_input_example(folder)
    if example is None:
        raise LookupError(
            "no input example was logged with it; log one (input_example=...), "
            "or name a module as model.smoke in xtask.toml"
        )
    answer = np.asarray(model.predict(example))
    made = answer.reshape(len(answer), -1)[:, 0].tolist() if answer.ndim else [answer.item()]
    expected = len(example) if hasattr(example, "__len__") else len(made)
    if len(made) != expected:
        raise ValueError(f"{len(made)} predictions for {expected} rows")
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    folder = parser.parse_args().model
    try:
        made = predictions(folder)
        numbers = all(isinstance(value, int | float) for value in made)
        if numbers and not all(math.isfinite(value) for value in made):
            raise ValueError(f"not all predictions are finite: {made[:5]}")
    except Exception as error:
        reason = " ".join(str(error).split())
        sys.stderr.write(f"error: the model in {folder} does not predict: {type(error).__name__}: {reason}\n")
        return 1
    mean = sum(made) / len(made) if numbers and made else None
    shown = [value if isinstance(value, int | float | str | bool) else str(value) for value in made[:5]]
    sys.stdout.write(json.dumps({"rows": len(made), "predictions": shown, "mean": mean}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
