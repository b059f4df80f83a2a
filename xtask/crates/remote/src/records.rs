//! What the ML project writes down about itself: the tags of docs/records.md on MLflow runs and on
//! model versions, read into types, and the digest of a version's files.
//!
//! The project's own reader is `notebooks/mlops_stacks/records.py`. Both are tested on the same
//! fixtures, `notebooks/tests/fixtures/records.json` and `artifact-digests.json`.

mod digest;

use std::collections::BTreeMap;

use crate::Error;
use crate::databricks::model_versions;
use crate::databricks::registry::RegistryKind;
use crate::mlflow::{KeyValue, Run};
use crate::transport::Transport;

pub use digest::artifact_digest;

/// Where a run or a version comes from: the code that was deployed, and the job that ran it.
/// `None` where it was not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The commit, 40 hex digits.
    pub git_commit: Option<String>,
    /// The branch; none on a detached head.
    pub git_branch: Option<String>,
    /// The remote's address, without credentials.
    pub git_origin: Option<String>,
    /// What was deployed beside the commit, such as `1 edited file`.
    pub git_edits: Option<String>,
    pub job_id: Option<String>,
    /// Id of the whole job run, not of a task's.
    pub job_run_id: Option<String>,
}

/// The run that trained a version which was copied: it stays in the workspace where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainedIn {
    /// The address of that workspace.
    pub host: String,
    /// The MLflow run.
    pub run_id: String,
}

impl TrainedIn {
    /// The run that trained a version of the workspace at `host`. What a copy's tags say counts before its `run_id`:
    /// a registry may have given it that of another model of the same name.
    #[must_use]
    pub fn of_version(host: &str, run_id: &str, tags: &[KeyValue]) -> Option<TrainedIn> {
        TrainedIn::read(tags).or_else(|| {
            (!run_id.is_empty()).then(|| TrainedIn {
                host: host.trim_end_matches('/').to_owned(),
                run_id: run_id.to_owned(),
            })
        })
    }

    /// Reads it from the tags of a version; `None` where the version is no copy.
    #[must_use]
    pub fn read(tags: &[KeyValue]) -> Option<TrainedIn> {
        let value = Tags::new(tags).get("mlops_trained_in")?;
        let (host, run_id) = value.split_once(' ')?;
        let known = !host.is_empty() && !run_id.is_empty();
        known.then(|| TrainedIn {
            host: host.trim_end_matches('/').to_owned(),
            run_id: run_id.to_owned(),
        })
    }
}

/// Whether a version may be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It kept every rule.
    Passed,
    /// It broke one.
    Rejected,
}

impl Verdict {
    /// The value of its tag.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Rejected => "rejected",
        }
    }

    fn read(value: &str) -> Option<Verdict> {
        [Verdict::Passed, Verdict::Rejected]
            .into_iter()
            .find(|verdict| verdict.as_str() == value)
    }
}

/// The champion that a tag speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Champion {
    /// There was none.
    Nobody,
    Version(u64),
}

impl Champion {
    fn read(value: &str) -> Option<Champion> {
        match value {
            "none" => Some(Champion::Nobody),
            number => number.parse().ok().map(Champion::Version),
        }
    }
}

/// What validation found about a version, in the place where that version stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    /// The broken rules with both numbers, or that every rule was kept.
    pub reason: String,
    /// Whom it was compared with; `None` when that is not known.
    pub champion_at_validation: Option<Champion>,
}

/// The tags of a model version. `None` where there is no tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionRecord {
    /// The code and the job that trained it.
    pub origin: Origin,
    /// Digest of the training set.
    pub training_digest: Option<String>,
    /// Digest of the test file.
    pub test_digest: Option<String>,
    /// Digest of the version's files, as they were when it was validated; see [`artifact_digest`].
    pub artifact_digest: Option<String>,
    /// The MLflow run that holds the metrics of both sides.
    pub validation_run_id: Option<String>,
    /// The verdict, if there is one about this very version: tags follow a copy, verdicts do not.
    pub judgement: Option<Judgement>,
    /// The version it replaced as champion; nothing on a copy, like the verdict.
    pub previous_champion: Option<Champion>,
}

impl VersionRecord {
    /// Reads the tags that stand on version `version` of `model`.
    #[must_use]
    pub fn read(model: &str, version: u64, tags: &[KeyValue]) -> VersionRecord {
        let tags = Tags::new(tags);
        let speaks_of_this =
            tags.get("mlops_verdict_for") == Some(format!("{model}/{version}").as_str());
        let verdict = tags.get("mlops_verdict").and_then(Verdict::read);
        let judgement = verdict.filter(|_| speaks_of_this).map(|verdict| Judgement {
            verdict,
            reason: tags.owned("mlops_verdict_reason").unwrap_or_default(),
            champion_at_validation: tags.champion("mlops_champion_at_validation"),
        });
        let previous_champion = tags.champion("mlops_previous_champion");
        VersionRecord {
            origin: tags.origin(),
            training_digest: tags.owned("mlops_training_digest"),
            test_digest: tags.owned("mlops_test_digest"),
            artifact_digest: tags.owned("mlops_artifact_digest"),
            validation_run_id: tags.owned("mlops_validation_run_id"),
            judgement,
            previous_champion: previous_champion.filter(|_| speaks_of_this),
        }
    }

    /// Whether the version may be deployed where it stands.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        let judgement = self.judgement.as_ref();
        judgement.is_some_and(|judgement| judgement.verdict == Verdict::Passed)
    }
}

/// A model version that a run speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// The registered model's full name.
    pub model: String,
    /// The version's number.
    pub version: u64,
}

impl ModelVersion {
    fn read(value: &str) -> Option<ModelVersion> {
        let (model, number) = value.rsplit_once('/')?;
        let version = number.parse().ok()?;
        Some(ModelVersion {
            model: model.to_owned(),
            version,
        })
    }
}

/// What monitoring found after an inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// Whether a limit is passed, so that one should train again.
    pub beyond_limits: bool,
    /// The limits that are passed with both numbers, or that none is.
    pub reason: String,
}

/// The tags of an MLflow run: of training, of validation, or of monitoring. `None` where there is
/// no tag, as no kind of run has them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunRecord {
    /// The code and the job that made the run.
    pub origin: Origin,
    /// Digest of the training set.
    pub training_digest: Option<String>,
    /// Digest of the test file.
    pub test_digest: Option<String>,
    /// Digest of what was scored.
    pub input_digest: Option<String>,
    /// The version that was judged or watched.
    pub model_version: Option<ModelVersion>,
    /// Whom it was compared with.
    pub champion_at_validation: Option<Champion>,
    /// The verdict that this run came to.
    pub verdict: Option<Verdict>,
    /// What monitoring found.
    pub monitoring: Option<Monitoring>,
}

impl RunRecord {
    /// Reads the tags of a run.
    #[must_use]
    pub fn read(run: &Run) -> RunRecord {
        let tags = Tags::new(&run.data.tags);
        let beyond_limits = match tags.get("mlops_monitoring") {
            Some("within_limits") => Some(false),
            Some("beyond_limits") => Some(true),
            _ => None,
        };
        RunRecord {
            origin: tags.origin(),
            training_digest: tags.owned("mlops_training_digest"),
            test_digest: tags.owned("mlops_test_digest"),
            input_digest: tags.owned("mlops_input_digest"),
            model_version: tags.get("mlops_model_version").and_then(ModelVersion::read),
            champion_at_validation: tags.champion("mlops_champion_at_validation"),
            verdict: tags.get("mlops_verdict").and_then(Verdict::read),
            monitoring: beyond_limits.map(|beyond_limits| Monitoring {
                beyond_limits,
                reason: tags.owned("mlops_monitoring_reason").unwrap_or_default(),
            }),
        }
    }
}

/// The record of a version.
///
/// # Errors
/// Any [`Error`]; not-found when there is no such version.
pub fn of_version(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: &str,
    version: u64,
) -> Result<VersionRecord, Error> {
    // The catalog's own routes (`unity-catalog/models/…`) do not show the tags that MLflow set.
    let found = model_versions::version(transport, registry, model, version)?;
    Ok(VersionRecord::read(model, version, &found.tags))
}

/// Tags by key.
struct Tags<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Tags<'a> {
    fn new(tags: &'a [KeyValue]) -> Tags<'a> {
        let pairs = tags
            .iter()
            .map(|tag| (tag.key.as_str(), tag.value.as_str()));
        Tags(pairs.collect())
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    fn owned(&self, key: &str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }

    fn champion(&self, key: &str) -> Option<Champion> {
        self.get(key).and_then(Champion::read)
    }

    fn origin(&self) -> Origin {
        Origin {
            git_commit: self.owned("mlops_git_commit"),
            git_branch: self.owned("mlops_git_branch"),
            git_origin: self.owned("mlops_git_origin"),
            git_edits: self.owned("mlops_git_edits"),
            job_id: self.owned("mlops_job_id"),
            job_run_id: self.owned("mlops_job_run_id"),
        }
    }
}

#[cfg(test)]
mod tests;
