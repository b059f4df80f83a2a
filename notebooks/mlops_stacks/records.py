"""Every tag that the pipeline writes, in one place. docs/records.md of the tool says what each one means and who reads it.

Keys have only lower-case letters and underscores: Unity Catalog refuses `. , - = / :` in tag keys.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from urllib.parse import urlsplit, urlunsplit

from mlops_stacks import files

GIT_COMMIT = "mlops_git_commit"
GIT_BRANCH = "mlops_git_branch"
GIT_ORIGIN = "mlops_git_origin"
GIT_EDITS = "mlops_git_edits"
JOB_ID = "mlops_job_id"
JOB_RUN_ID = "mlops_job_run_id"
TRAINING_DIGEST = "mlops_training_digest"
TEST_DIGEST = "mlops_test_digest"
ARTIFACT_DIGEST = "mlops_artifact_digest"
VERDICT = "mlops_verdict"
VERDICT_FOR = "mlops_verdict_for"
VERDICT_REASON = "mlops_verdict_reason"
VALIDATION_RUN_ID = "mlops_validation_run_id"
CHAMPION_AT_VALIDATION = "mlops_champion_at_validation"
PREVIOUS_CHAMPION = "mlops_previous_champion"
MODEL_VERSION = "mlops_model_version"
INPUT_DIGEST = "mlops_input_digest"
MONITORING = "mlops_monitoring"
MONITORING_REASON = "mlops_monitoring_reason"

PASSED, REJECTED = "passed", "rejected"
WITHIN_LIMITS, BEYOND_LIMITS = "within_limits", "beyond_limits"
CHAMPION, CHALLENGER = "champion", "challenger"

MAX_VALUE = 1000
"""Characters that Unity Catalog takes in a tag's value."""

ADDED_BY_REGISTRY = "registered_model_meta"
"""A file that Unity Catalog adds to a version's files on upload; not part of what was trained."""


@dataclass(frozen=True)
class Origin:
    """Where a run comes from: the code that was deployed, and the job that runs it. Empty where unknown."""

    git_commit: str = ""
    git_branch: str = ""
    git_origin: str = ""
    job_id: str = ""
    job_run_id: str = ""
    git_edits: str = ""

    @classmethod
    def from_parameters(cls, get: Callable[[str], str]) -> "Origin":
        """Reads each field from the notebook parameter of the same name; `get` is dbutils.widgets.get."""
        return cls(**{field.name: get(field.name) for field in fields(cls)})

    def tags(self) -> dict[str, str]:
        """The tags for what is known; no tag is written for what is not."""
        tags = {
            GIT_COMMIT: self.git_commit,
            GIT_BRANCH: self.git_branch,
            GIT_ORIGIN: without_credentials(self.git_origin),
            GIT_EDITS: self.git_edits,
            JOB_ID: self.job_id,
            JOB_RUN_ID: self.job_run_id,
        }
        return {key: shortened(value) for key, value in tags.items() if value}


@dataclass(frozen=True)
class Judgement:
    """What validation found about a version: the verdict, why, and the champion then (`none`: there was none)."""

    verdict: str
    reason: str
    champion_at_validation: str | None


@dataclass(frozen=True)
class VersionRecord:
    """The tags of a model version; None where there is no tag.

    Attributes:
        origin: the code and job that trained it; None in place of a field that was not known.
        training_digest: digest of the training set.
        test_digest: digest of the test set.
        artifact_digest: digest of the version's files when it was validated.
        validation_run_id: MLflow run with the metrics of both sides.
        judgement: the verdict, if there is one about this very version: tags follow a copy, verdicts do not.
        previous_champion: the version it replaced, or `none`; None on a copy, like the verdict.
    """

    origin: dict[str, str | None]
    training_digest: str | None
    test_digest: str | None
    artifact_digest: str | None
    validation_run_id: str | None
    judgement: Judgement | None
    previous_champion: str | None


def read_version(model_name: str, version: str, tags: dict[str, str]) -> VersionRecord:
    """Reads the tags that stand on a version. The tool's Rust reader is tested on the same fixtures."""
    speaks_of_this = tags.get(VERDICT_FOR) == verdict_for(model_name, version)
    judgement = None
    if speaks_of_this and tags.get(VERDICT) in (PASSED, REJECTED):
        judgement = Judgement(tags[VERDICT], tags.get(VERDICT_REASON, ""), tags.get(CHAMPION_AT_VALIDATION))
    return VersionRecord(
        origin={field.name: tags.get(f"mlops_{field.name}") for field in fields(Origin)},
        training_digest=tags.get(TRAINING_DIGEST),
        test_digest=tags.get(TEST_DIGEST),
        artifact_digest=tags.get(ARTIFACT_DIGEST),
        validation_run_id=tags.get(VALIDATION_RUN_ID),
        judgement=judgement,
        previous_champion=tags.get(PREVIOUS_CHAMPION) if speaks_of_this else None,
    )


def without_credentials(url: str) -> str:
    """Removes user and password from an address: CI check-outs may carry a token there, and tags are public."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def shortened(value: str) -> str:
    """Cuts a value to what a tag can hold, and shows that it was cut. A tag neither begins nor ends with a space."""
    value = value.strip()
    return value if len(value) <= MAX_VALUE else value[: MAX_VALUE - 1] + "…"


def dataset_digest(sha256: str) -> str:
    """The tag's value for a data set whose file has this SHA-256."""
    return f"sha256:{sha256}"


def verdict_for(model_name: str, version: str) -> str:
    """Whom a verdict is about. Tags follow a copied version; a verdict about another name or number does not count."""
    return f"{model_name}/{version}"


def artifact_digest(folder: str) -> str:
    """One digest for all files of a model version: `sha256:` and 64 hex digits.

    The SHA-256 of one line for each file, in the byte order of their paths: relative path with `/`, length in bytes,
    SHA-256 in hex, separated by NUL and ended by a line feed. ADDED_BY_REGISTRY is left out.
    """
    lines = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            if relative != ADDED_BY_REGISTRY:
                lines.append(f"{relative}\x00{os.path.getsize(path)}\x00{files.sha256(path)}\n".encode())
    # NUL is below every other byte, so sorting whole lines sorts by path.
    return "sha256:" + hashlib.sha256(b"".join(sorted(lines))).hexdigest()
