"""Records as the tool reads them: its own reader is tested on the same fixtures, and docs/records.md describes them."""

import json
from dataclasses import asdict
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from mlops_stacks import records

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "notebooks" / "tests" / "fixtures"
TAG_KEYS = [value for name, value in vars(records).items() if name.isupper() and str(value).startswith("mlops_")]


def test_artifact_digest_of_the_shared_fixture(tmp_path):
    """The same file is read by the tool's tests: both must come to the same digests."""
    with open(FIXTURES / "artifact-digests.json", encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        folder = tmp_path / case["name"]
        for path, text in case["files"].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        folder.mkdir(exist_ok=True)
        assert records.artifact_digest(str(folder)) == case["digest"], case["name"]


def cases(kind: str) -> list[dict]:
    with open(FIXTURES / "records.json", encoding="utf-8") as file:
        return json.load(file)[kind]


@pytest.mark.parametrize("case", cases("versions"), ids=lambda case: case["name"])
def test_version_reads_as_the_shared_fixture_says(case):
    """The tool's reader is tested on the same file."""
    found = records.read_version(case["model"], str(case["version"]), case["tags"])
    assert asdict(found) == case["expected"]


def test_the_fixtures_hold_every_tag_there_is():
    tags = [case["tags"] for kind in ("versions", "runs") for case in cases(kind)]
    assert set(TAG_KEYS) <= {key for found in tags for key in found}


def assert_keys_of_the_fixture(kind: str, name: str, tags: dict[str, str]) -> None:
    (case,) = [case for case in cases(kind) if case["name"] == name]
    assert {key for key in tags if key.startswith("mlops_")} == case["tags"].keys()


def test_what_the_pipeline_really_writes_has_the_keys_of_the_fixtures(journey):
    answers = journey.answers
    assert_keys_of_the_fixture("versions", "deployed", MlflowClient().get_model_version(journey.model_name, "1").tags)
    for name, run in (
        ("training", answers["Train"]["run_id"]),
        ("validation", answers["ModelValidation"]["run_id"]),
        ("monitoring", answers["BatchInference"]["monitoring"]["run_id"]),
    ):
        assert_keys_of_the_fixture("runs", name, mlflow.get_run(run).data.tags)


def test_every_tag_is_described():
    page = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
    assert [key for key in TAG_KEYS if f"`{key}`" not in page] == []
