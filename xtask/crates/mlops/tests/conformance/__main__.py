"""Drives the local workspace through the field's own clients, and shows that it would notice a missing route.

    python xtask/crates/mlops/tests/conformance --program PROGRAM --cli CLI --out FILE [--only NAME ...]

Each row writes through one client and reads back through another. Then routes are left out, one at a time, and the
rows that called such a route must fail. `cargo xtask workspace conformance` calls it, and writes the table.
"""

import argparse
import io
import json
import logging
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import rows_bundles  # noqa: F401
import rows_files  # noqa: F401
import rows_jobs  # noqa: F401
import rows_models  # noqa: F401
from clients import Clients
from table import AREAS, ROWS, Row
from workspace import Workspace

# One for each area of the table: what its rows cannot do without.
LEFT_OUT = [
    "GET /api/2.0/preview/scim/v2/Me",
    "POST /api/2.0/workspace/mkdirs",
    "POST /api/2.0/workspace/import",
    "PUT /api/2.0/fs/files/{*path}",
    "POST /api/2.0/secrets/put",
    "POST /api/2.2/jobs/create",
    "GET /api/2.2/jobs/list",
    "POST /api/2.2/jobs/run-now",
    "GET /api/2.2/jobs/runs/get-output",
    "POST /api/2.2/jobs/runs/repair",
    "POST /api/2.0/pipelines",
    "POST /api/2.0/mlflow/experiments/create",
    "POST /api/2.1/unity-catalog/schemas",
    "GET /api/2.1/unity-catalog/models/{full_name}/versions/{version}",
    "POST /api/2.0/mlflow/unity-catalog/model-versions/create",
]


@dataclass
class Outcome:
    """How a row ended: no reason, or why it failed."""

    reason: str | None
    routes: set[str]
    seconds: float


def check(row: Row, clients: Clients, workspace: Workspace, life: str) -> Outcome:
    """One row, with names of its own."""
    workspace.calls()
    begun = time.monotonic()
    reason = None
    try:
        # MLflow's client talks; here only the rows do.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            row.check(clients, f"{row.name.replace('_', '-')}-{life}")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = (
            f"{''.join(traceback.format_exception_only(error)).strip()} [{Path(place.filename).name}:{place.lineno}]"
        )
    return Outcome(reason, set(workspace.calls()), time.monotonic() - begun)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    arguments = argparse.ArgumentParser()
    for name in ("program", "cli", "out"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument("--only", action="append", default=[])
    options = arguments.parse_args()
    # What the clients warn about is theirs; a row speaks through its assertions.
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    rows.sort(key=lambda row: AREAS.index(row.area))
    # Away from the project, whose bundle the CLI would find.
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_rows(rows, options, Path(folder))
        without = leave_routes_out(rows, outcomes, options, Path(folder))
    table = [
        {
            "area": row.area,
            "feature": row.feature,
            "writes": row.writes,
            "reads": row.reads,
            "reason": outcomes[row.name].reason,
        }
        for row in rows
    ]
    options.out.write_text(json.dumps({"rows": table, "without": without}, indent=1))
    return 0


def run_rows(rows: list[Row], options: argparse.Namespace, folder: Path) -> dict[str, Outcome]:
    """Every row, on a new workspace."""
    outcomes: dict[str, Outcome] = {}
    with Workspace(options.program, folder) as workspace:
        clients = Clients(options.cli, folder, workspace.url, workspace.token)
        for row in rows:
            outcome = outcomes[row.name] = check(row, clients, workspace, "whole")
            verdict = "passed" if outcome.reason is None else "failed"
            say(f"{verdict} {row.area}: {row.feature} ({outcome.seconds:.1f} s)")
            if outcome.reason:
                say(f"    {outcome.reason}")
    return outcomes


def leave_routes_out(
    rows: list[Row], outcomes: dict[str, Outcome], options: argparse.Namespace, folder: Path
) -> list[dict[str, object]]:
    """For each route that is left out: the rows that called it, and those of them that pass without it."""
    without = []
    for number, route in enumerate(LEFT_OUT):
        callers = [row for row in rows if route in outcomes[row.name].routes and outcomes[row.name].reason is None]
        still_green = []
        with Workspace(options.program, folder, without=route) as workspace:
            clients = Clients(options.cli, folder, workspace.url, workspace.token)
            for row in callers:
                if check(row, clients, workspace, f"without-{number}").reason is None:
                    still_green.append(row.name)
        say(f"without {route}: {len(callers) - len(still_green)} of {len(callers)} rows fail")
        without.append({"route": route, "rows": [row.name for row in callers], "still_green": still_green})
    return without


if __name__ == "__main__":
    sys.exit(main())
