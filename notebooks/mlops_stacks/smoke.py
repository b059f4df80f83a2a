"""Tries a model version on a few rows before it becomes champion: `python -m mlops_stacks.smoke --model DIR`.

It loads the version from its files in DIR and predicts by the code that batch inference uses, as it is deployed where
the version is to be used. The rows are those that were logged with the version. It needs no
sign-in, no MLflow server and no network. The last line on standard output is one JSON object: how many rows, the first
predictions, and their mean where they are numbers. Where anything is wrong it says so in one line and ends with 1.
"""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from mlops_stacks.versions import Version

SHOWN = 5
"""Predictions in the answer."""


class SmokeFailed(Exception):
    """The version does not do what inference needs: says what it did instead."""


def smoke(folder: str) -> dict[str, object]:
    """Predicts with the version whose files are in `folder`.

    Returns:
        `rows`, the first `predictions`, and their `mean` where they are numbers.

    Raises:
        SmokeFailed: the predictions are not ones that can be an answer.
    """
    from mlops_stacks import inference, versions

    if not os.path.isfile(os.path.join(folder, "MLmodel")):
        raise SmokeFailed("it contains no MLmodel file")
    with versions.opened_in(folder) as model:
        inference.require_inputs(model, "it")
        predictions = predict(model, example(model, folder))
    shown = predictions[:SHOWN].tolist()
    if isinstance(shown[0], str):
        return {"rows": len(predictions), "predictions": shown}
    mean = round(float(predictions.mean()), 4)
    return {"rows": len(predictions), "predictions": [round(found, 4) for found in shown], "mean": mean}


def example(model: "Version", folder: str) -> "pa.Table":
    """The rows that were logged with the version."""
    import pyarrow as pa

    from mlops_stacks.columns import INPUTS
    from mlops_stacks.schema import with_exact_types

    logged = model.described.load_input_example(folder)
    if logged is None:
        raise SmokeFailed("it was logged without an input example (input_example)")
    missing = [name for name in INPUTS if name not in getattr(logged, "columns", ())]
    if missing:
        raise SmokeFailed(f"its input example has no column {', '.join(missing)}, which inference passes to it")
    return pa.Table.from_pandas(with_exact_types(logged[list(INPUTS)]), preserve_index=False)


def predict(model: "Version", rows: "pa.Table") -> "pd.Series":
    """Scores the rows as inference does; each prediction is one that can be an answer.

    Raises:
        SmokeFailed: a row got no prediction, or one that can be no answer.
    """
    from mlops_stacks import inference
    from mlops_stacks.columns import INPUTS, PROBLEM
    from mlops_stacks.schema import check_schema

    check_schema(rows.schema, INPUTS, "the sample")
    stamp = dict.fromkeys(("model_name", "model_version", "run_id"), "") | {"scored_at": None}
    scored = inference.scored_batch(model, rows, stamp).to_pandas()
    good = scored[scored["not_scored"].isna()].reset_index(drop=True)
    if good.empty:
        raise SmokeFailed(f"the input rules exclude all {len(scored)} sample rows")
    predicted = PROBLEM.predicted(good)
    for wrong, why in PROBLEM.impossible(predicted):
        if wrong.any():
            first = " ".join(f"{number:g}" for number in predicted[wrong][:1].ravel())
            raise SmokeFailed(
                f"{wrong.sum()} of {len(good)} predictions are not a valid {PROBLEM.answer} ({why}); the first is {first}"
            )
    return good["prediction"]


def reason(error: Exception, folder: str) -> str:
    """Why the version cannot be used, in one line."""
    from mlops_stacks.versions import VersionFailed

    if isinstance(error, VersionFailed):
        return str(error).splitlines()[0]
    kind = "" if isinstance(error, SmokeFailed) else f"{type(error).__name__}: "
    return " ".join(f"the model in {folder} does not predict: {kind}{error}".split())


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mlops_stacks.smoke",
        description="Try a model version.",
    )
    parser.add_argument("--model", required=True, metavar="DIR", help="folder with the files of the version")
    folder = parser.parse_args(arguments).model
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before MLflow is imported
    try:
        answer = smoke(folder)
    except Exception as error:  # what may be wrong with a version's files is not known here
        sys.stderr.write(f"error: {reason(error, folder)}\n")
        return 1
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
