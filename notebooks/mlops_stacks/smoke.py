"""Tries a model version on a few trips before it becomes champion: `python -m mlops_stacks.smoke --model DIR`.

It loads the version from its files in DIR and predicts by the code that batch inference uses, as it is deployed where
the version is to be used. The trips are those that were logged with the version, or a few generated ones. It needs no
sign-in, no MLflow server and no network. The last line on standard output is one JSON object: how many rows, the first
predictions and their mean, in dollars. Where anything is wrong it says so in one line and ends with 1.
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

GENERATED_ROWS = 50
SEED = 20
SHOWN = 5
"""Predictions in the answer."""


class SmokeFailed(Exception):
    """The version does not do what inference needs: says what it did instead."""


def smoke(folder: str) -> dict[str, object]:
    """Predicts with the version whose files are in `folder`.

    Returns:
        `rows`, the first `predictions` and their `mean`.

    Raises:
        SmokeFailed: the predictions are not ones that a fare can be.
    """
    from mlops_stacks import versions

    if not os.path.isfile(os.path.join(folder, "MLmodel")):
        raise SmokeFailed("there is no MLmodel in it")
    with versions.opened_in(folder) as model:
        trips = example(model, folder)
        predictions = predict(model, generated() if trips is None else trips)
    return {
        "rows": len(predictions),
        "predictions": [round(float(fare), 4) for fare in predictions[:SHOWN]],
        "mean": round(float(predictions.mean()), 4),
    }


def example(model: "Version", folder: str) -> "pa.Table | None":
    """The trips that were logged with the version; None when there are none."""
    import pyarrow as pa

    from mlops_stacks.columns import INPUTS, with_exact_types

    logged = model.described.load_input_example(folder)
    if logged is None:
        return None
    missing = [name for name in INPUTS if name not in getattr(logged, "columns", ())]
    if missing:
        raise SmokeFailed(f"its input example has no column {', '.join(missing)}, which inference gives it")
    return pa.Table.from_pandas(with_exact_types(logged[list(INPUTS)]), preserve_index=False)


def generated() -> "pa.Table":
    """A few trips, the same each time."""
    import numpy as np

    from mlops_stacks import data
    from mlops_stacks.columns import INPUTS

    kind = data.DATA_SETS[0]
    return data.trips(np.random.default_rng(SEED), kind, GENERATED_ROWS, (0.0, 1.0)).select(list(INPUTS))


def predict(model: "Version", trips: "pa.Table") -> "pd.Series":
    """Scores the trips as inference does; the predictions in dollars, each one that a fare can be.

    Raises:
        SmokeFailed: a trip got no prediction, or one that no fare can be.
    """
    from mlops_stacks import inference
    from mlops_stacks.columns import INPUTS, LABEL, check_schema
    from mlops_stacks.ingest import FARE_RULES

    check_schema(trips.schema, INPUTS, "the sample")
    stamp = dict.fromkeys(("model_name", "model_version", "run_id"), "") | {"scored_at": None}
    scored = inference.scored_batch(model, trips, stamp).select(["prediction", "not_scored"]).to_pandas()
    fares = scored.loc[scored["not_scored"].isna(), ["prediction"]].rename(columns={"prediction": LABEL})
    if fares.empty:
        raise SmokeFailed(f"none of the {len(scored)} sample trips may be scored")
    for rule in FARE_RULES:
        broken = fares[rule.drops(fares)]
        if len(broken):
            raise SmokeFailed(
                f"{len(broken)} of {len(fares)} predictions cannot be a fare ({rule.why}), "
                f"the first of them {broken[LABEL].iloc[0]:g}"
            )
    return fares[LABEL].reset_index(drop=True)


def reason(error: Exception, folder: str) -> str:
    """Why the version cannot be used, in one line."""
    from mlops_stacks.versions import VersionFailed

    if isinstance(error, VersionFailed):
        return str(error).splitlines()[0]
    kind = "" if isinstance(error, SmokeFailed) else f"{type(error).__name__}: "
    return " ".join(f"the model in {folder} does not predict: {kind}{error}".split())


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m mlops_stacks.smoke", description="Try a model version.")
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
