//! What is known about a branch, its pull request and its checks: a part of what `status --json` prints.

use std::collections::BTreeMap;

use serde::Serialize;
use xtask_remote::Timestamp;

use crate::check_log::FailingPart;

/// How the checks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// All that matter are good.
    Passed,
    /// One that matters is not.
    Failed,
    /// One that matters has not ended, or is not there yet.
    Pending,
    /// There is nothing to wait for.
    Nothing,
    /// GitHub could not be asked.
    Unknown,
}

/// Something that could not be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unknown {
    /// What: `github`, `environment`, `champion`, ….
    pub(crate) what: String,
    /// The target that it is about.
    pub(crate) target: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// What to type or do.
    pub(crate) next: Option<String>,
}

/// The clone.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Branch {
    /// The branch; null on a detached head.
    pub(crate) name: Option<String>,
    /// The commit that is checked out.
    pub(crate) head: Option<String>,
    /// Files that are not committed.
    pub(crate) changed_files: u64,
    /// The remote branch that it pulls from.
    pub(crate) upstream: Option<String>,
    /// Commits that the branch it is pushed to lacks, as far as the clone knows.
    pub(crate) ahead: Option<u64>,
    /// Commits that the branch it is pushed to has more.
    pub(crate) behind: Option<u64>,
    /// Whether the commit is on the branch it is pushed to; null where that is not known.
    pub(crate) pushed: Option<bool>,
    /// The branch that it will be merged into.
    pub(crate) base: Option<String>,
    /// Commits that the base lacks, as far as the clone knows.
    pub(crate) ahead_of_base: Option<u64>,
    /// Commits of the base that are missing here.
    pub(crate) behind_base: Option<u64>,
    /// Whether the clone is too shallow to count some of these.
    pub(crate) shallow: bool,
}

/// The repository on GitHub.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GitHub {
    /// `owner/name`.
    pub(crate) repository: String,
    /// Its page.
    pub(crate) url: String,
    /// The pull request of the branch.
    pub(crate) pull_request: Option<PullRequest>,
    /// The commit that the checks are of.
    pub(crate) sha: Option<String>,
    /// Its checks: failed first, then pending, then the others.
    pub(crate) checks: Vec<Check>,
    /// Names of required checks that have not appeared.
    pub(crate) missing: Vec<String>,
}

impl GitHub {
    /// Whether some checks are required, so that the others do not decide.
    pub(crate) fn has_required(&self) -> bool {
        !self.missing.is_empty() || self.checks.iter().any(|check| check.required == Some(true))
    }

    /// The checks that decide.
    pub(crate) fn deciding(&self) -> impl Iterator<Item = &Check> {
        let all = !self.has_required();
        self.checks
            .iter()
            .filter(move |check| all || check.required == Some(true))
    }

    /// Whether the last check ended more than a minute ago.
    pub(crate) fn ended_long_ago(&self, now: Timestamp) -> bool {
        let ends = self.checks.iter().filter_map(|check| {
            let start: Timestamp = check.started_at.as_ref()?.parse().ok()?;
            let seconds = i64::try_from(check.seconds.unwrap_or(0)).ok()?;
            Some(start.as_second().saturating_add(seconds))
        });
        ends.max().is_some_and(|last| now.as_second() - last > 60)
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PullRequest {
    pub(crate) number: u64,
    pub(crate) title: String,
    /// Its page.
    pub(crate) url: String,
    /// `open`, `merged`, `closed`.
    pub(crate) state: String,
    pub(crate) draft: bool,
    /// Whether it comes from a fork.
    pub(crate) from_fork: bool,
    /// Who opened it.
    pub(crate) author: Option<String>,
    /// The branch that it goes to.
    pub(crate) base: String,
    /// Its newest commit.
    pub(crate) head_sha: String,
    /// `approved`, `changes_requested`, `review_required`; null where no review is asked for.
    pub(crate) review: Option<String>,
    /// The last word of each reviewer, by name.
    pub(crate) reviews: BTreeMap<String, String>,
    /// Who has been asked and has not answered.
    pub(crate) requested: Vec<String>,
    /// Conversations that are not resolved.
    pub(crate) unresolved_threads: u64,
    /// `mergeable`, `conflicting`, or `unknown` while GitHub works it out.
    pub(crate) mergeable: String,
    /// GitHub's word for what keeps it from being merged.
    pub(crate) merge_state: String,
    /// The method by which it will merge itself.
    pub(crate) auto_merge: Option<String>,
    /// Its place in the merge queue.
    pub(crate) queue_position: Option<u64>,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CheckState {
    /// It is not good.
    Failed,
    /// It has not ended.
    Pending,
    /// It is good.
    Passed,
    /// It does not matter.
    Skipped,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// What it is called: its name, with its workflow where another check has the same name.
    pub(crate) label: String,
    /// The workflow that it is a job of.
    pub(crate) workflow: Option<String>,
    /// How it stands.
    pub(crate) state: CheckState,
    /// GitHub's own word for that.
    pub(crate) word: String,
    /// Whether a merge waits for it; null where that is not known.
    pub(crate) required: Option<bool>,
    pub(crate) started_at: Option<String>,
    /// How long it ran, or runs.
    pub(crate) seconds: Option<u64>,
    /// Its page.
    pub(crate) url: Option<String>,
    /// The job on GitHub Actions, whose log can be had.
    pub(crate) job_id: Option<u64>,
    /// The workflow's run.
    pub(crate) run_id: Option<u64>,
    /// What it says about itself.
    pub(crate) summary: Option<String>,
    /// Why it failed, from its log.
    pub(crate) failure: Option<FailingPart>,
    /// Why there is no log to read.
    pub(crate) no_log: Option<String>,
    /// The job run that it followed, as `cargo xtask test` names it.
    pub(crate) training: Option<Training>,
}

/// What `cargo xtask test` wrote into a check's log about its job run.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub(crate) struct Training {
    /// The bundle target.
    pub(crate) target: Option<String>,
    pub(crate) job_run: Option<crate::results::JobRun>,
    pub(crate) failed_task: Option<String>,
    pub(crate) mlflow_run: Option<crate::lineage::MlflowRun>,
    /// The version that was registered.
    pub(crate) model: Option<crate::lineage::ModelVersion>,
}
