//! What `status` found out: the object that `--json` prints, and that the screen is painted from.
//! docs/status.md describes the fields, docs/status.schema.json their types.

use std::collections::BTreeMap;

use serde::Serialize;
use xtask_remote::mlflow::MetricValue;

use crate::check_log::FailingPart;
use crate::links::Standing;
use xtask_remote::Timestamp;

/// Version of the object; fields are only added within one.
pub(crate) const VERSION: u32 = 1;

/// Everything.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Facts {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// How the checks stand, in one word.
    pub(crate) verdict: Verdict,
    /// The clone.
    pub(crate) branch: Branch,
    /// The repository on GitHub; `None` where the clone has none there.
    pub(crate) github: Option<GitHub>,
    /// The bundle's targets, in the order of databricks.yml.
    pub(crate) environments: Vec<Environment>,
    /// What could not be known, and why.
    pub(crate) unknown: Vec<Unknown>,
    /// Whether GitHub may answer a later question, where it did not answer this one.
    #[serde(skip)]
    pub(crate) may_answer_later: bool,
}

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

/// A pull request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PullRequest {
    /// Its number.
    pub(crate) number: u64,
    /// Its title.
    pub(crate) title: String,
    /// Its page.
    pub(crate) url: String,
    /// `open`, `merged`, `closed`.
    pub(crate) state: String,
    /// Whether it is a draft.
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

/// A check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// Its name.
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
    /// When it started.
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
    /// The job run.
    pub(crate) job_run: Option<crate::results::JobRun>,
    /// The task that failed.
    pub(crate) failed_task: Option<String>,
    /// The MLflow run.
    pub(crate) mlflow_run: Option<crate::chain::MlflowRun>,
    /// The version that was registered.
    pub(crate) model: Option<crate::chain::ModelVersion>,
}

/// A target of the bundle.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Environment {
    /// The target.
    pub(crate) target: String,
    /// `local`, `local` and the profile of a further local workspace, or the host.
    pub(crate) place: String,
    /// Whether the bundle is deployed; null where that is not known.
    pub(crate) deployed: Option<bool>,
    /// What is deployed.
    pub(crate) deployment: Option<Deployment>,
    /// The registered model's full name.
    pub(crate) model: Option<String>,
    /// The metric that models are compared by: the first one that xtask.toml names.
    pub(crate) metric: Option<String>,
    /// What inference uses.
    pub(crate) champion: Option<Version>,
    /// What passed validation and is not in use.
    pub(crate) challenger: Option<Version>,
    /// One metric over the newest training runs, oldest first.
    pub(crate) trend: Option<Trend>,
    /// The newest run of the training job.
    pub(crate) training: Option<LastRun>,
    /// The newest run of the inference job.
    pub(crate) inference: Option<LastRun>,
    /// What monitoring found last.
    pub(crate) monitoring: Option<Monitoring>,
    /// The model's links; null where there is no model, or they could not be read.
    pub(crate) links: Option<Vec<Standing>>,
    /// What a deployment of this checkout would change; null where that was not asked.
    pub(crate) drift: Option<Drift>,
    /// What could not be known here.
    pub(crate) unknown: Vec<Unknown>,
}

/// What is deployed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Deployment {
    /// The commit; null where the deployment did not know one.
    pub(crate) commit: Option<String>,
    /// The branch.
    pub(crate) branch: Option<String>,
    /// What was deployed beside the commit, such as `1 edited file`; null where that is nothing or not known.
    pub(crate) edits: Option<String>,
    /// When.
    pub(crate) at: Option<String>,
    /// What it is compared with: the branch that feeds the target, or the one that is checked out.
    pub(crate) compared_with: Option<String>,
    /// Commits that the deployment has and that branch lacks; null where the commit is not in this clone.
    pub(crate) ahead: Option<u64>,
    /// Commits that the branch has and the deployment lacks.
    pub(crate) behind: Option<u64>,
}

/// What a deployment of this checkout would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Drift {
    /// Whether the commit that is checked out is the deployed one; null where that is not known.
    pub(crate) checkout_is_deployed: Option<bool>,
    /// What would change, by resource: `jobs.KEY`.
    pub(crate) changes: BTreeMap<String, Change>,
}

/// What would change about a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// The Databricks CLI's word: `create`, `update`, `recreate`, `delete`, ….
    pub(crate) action: String,
    /// Where it is not what was deployed; null where that is not known.
    pub(crate) origin: Option<Origin>,
    /// Fields that were changed in the workspace.
    pub(crate) workspace_fields: Vec<String>,
    /// Fields that the checkout has otherwise.
    pub(crate) checkout_fields: Vec<String>,
}

/// Where something is not what was deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// In the workspace.
    Workspace,
    /// In the checkout.
    Checkout,
    /// In both.
    Both,
}

/// A version of the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Version {
    /// Its number.
    pub(crate) version: u64,
    /// Its page.
    pub(crate) url: String,
    /// When it was registered.
    pub(crate) created_at: Option<String>,
    /// The MLflow run that logged it.
    pub(crate) run_id: String,
    /// The commit that it was trained from.
    pub(crate) commit: Option<String>,
    /// `passed`, `rejected`; null where there is no verdict about it here.
    pub(crate) verdict: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// What was logged when it was trained.
    pub(crate) metrics: BTreeMap<String, MetricValue>,
}

/// A metric over training runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Trend {
    /// The metric.
    pub(crate) metric: String,
    /// Its values, oldest first.
    pub(crate) values: Vec<f64>,
}

/// The newest run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LastRun {
    /// Its id.
    pub(crate) run_id: i64,
    /// Its page.
    pub(crate) url: String,
    /// The result as Databricks words it; the state while it runs.
    pub(crate) result: String,
    /// Whether it ended well; null while it runs.
    pub(crate) ok: Option<bool>,
    /// When it started.
    pub(crate) started_at: Option<String>,
}

/// What monitoring found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Monitoring {
    /// Whether a limit is passed.
    pub(crate) beyond_limits: bool,
    /// Which.
    pub(crate) reason: String,
    /// The version that was watched.
    pub(crate) version: Option<u64>,
    /// When.
    pub(crate) at: Option<String>,
}
