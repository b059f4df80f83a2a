//! What a promotion rests on: where the version comes from, who agreed to its code, how it compares with the champion.

mod comparison;
mod pull;

use serde::Serialize;
use xtask_promotion::{OpenEnd, Plan};
use xtask_remote::databricks::bundle_state;
use xtask_remote::mlflow::{self, KeyValue};
use xtask_remote::records::TrainedIn;

use crate::context::Context;
use crate::git::Git;
use crate::words;

pub(super) use comparison::Comparison;
pub(super) use pull::PullRequest;

/// What is known about a version that is to be promoted. What is not known says so.
#[derive(Debug, Serialize)]
pub(super) struct Evidence {
    /// The MLflow run that logged it.
    pub(super) run: Option<String>,
    /// Whether that run was deleted; null where it is not known.
    pub(super) run_is_deleted: Option<bool>,
    /// The job run that trained it.
    pub(super) job_run: Option<String>,
    /// The commit that trained it, and its branch.
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    /// What was deployed beside the commit.
    pub(super) edits: Option<String>,
    /// How that compares with the code that is deployed in the destination.
    pub(super) code: Code,
    /// The pull request that brought the commit.
    pub(super) pull_request: Option<PullRequest>,
    /// Why it is not known.
    pub(super) pull_request_unknown: Option<String>,
    /// The verdict with its reason.
    pub(super) verdict: String,
    /// Candidate and champion on the same data.
    pub(super) comparison: Comparison,
    /// What is not as one would wish, and forbids nothing.
    pub(super) warnings: Vec<String>,
}

/// The code that is deployed in the destination, beside the commit that trained the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "relation")]
pub(super) enum Code {
    /// The very commit.
    Same,
    /// Another one.
    Other {
        deployed: String,
        /// How many commits the destination lacks; unknown where this clone does not have both.
        lacks: Option<u64>,
        /// How many it has that the version was not trained with.
        beyond: Option<u64>,
    },
    /// One of them is not known.
    Unknown,
}

impl Code {
    pub(super) fn sentence(&self, target: &str) -> String {
        match self {
            Code::Same => format!("{target} has the commit that trained it"),
            Code::Other {
                deployed,
                lacks,
                beyond,
            } => {
                let many = |count: &Option<u64>, what: &str| {
                    let count = (*count)?;
                    (count > 0).then(|| format!("{} {what}", words::count(count, "commit")))
                };
                let connection = [many(lacks, "behind"), many(beyond, "ahead")];
                let connection: Vec<String> = connection.into_iter().flatten().collect();
                let connection = match connection.is_empty() {
                    true => "another one".to_owned(),
                    false => connection.join(", "),
                };
                format!("{target} has commit {}: {connection}", short(deployed))
            }
            Code::Unknown => format!("the deployed commit of {target} is unknown"),
        }
    }
}

impl Evidence {
    pub(super) fn commit_line(&self) -> String {
        let line = match (&self.commit, &self.branch) {
            (Some(commit), Some(branch)) => format!("{} of {branch}", short(commit)),
            (Some(commit), None) => short(commit).to_owned(),
            _ => "not known".to_owned(),
        };
        match &self.edits {
            Some(edits) => format!("{line} + {edits}"),
            None => line,
        }
    }

    pub(super) fn pull_line(&self) -> String {
        match (&self.pull_request, &self.pull_request_unknown) {
            (Some(pull), _) => pull.sentence(),
            (None, Some(why)) => format!("not known: {why}"),
            (None, None) => "none: the commit came without one".to_owned(),
        }
    }
}

/// Gathers it, side by side.
pub(super) fn gather(
    context: &Context,
    plan: &Plan,
    from: &OpenEnd<'_>,
    to: &OpenEnd<'_>,
) -> anyhow::Result<Evidence> {
    let record = plan.record();
    let git = Git::open(context).ok();
    let commit = record.origin.git_commit.clone();
    let trained = training_run(plan);
    let (pulled, compared, run_is_deleted, deployed) = std::thread::scope(|scope| {
        let deleted = scope.spawn(|| is_deleted(trained.as_ref()?, from));
        let pulled = scope.spawn(|| pull::of(context, git.as_ref(), commit.as_deref()));
        let compared = scope.spawn(|| comparison::of(plan, from, to));
        let deployed = bundle_state::source(to.transport, to.state_path);
        (pulled.join(), compared.join(), deleted.join(), deployed)
    });
    let gone = |_| anyhow::anyhow!("looking for evidence broke off");
    let (pull_request, pull_request_unknown) = match pulled.map_err(gone)? {
        Ok(pull) => (pull, None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let deployed = deployed?.map(|source| source.commit);
    let judgement = record.judgement.as_ref();
    let mut evidence = Evidence {
        run: trained.map(|trained| trained.run_id),
        run_is_deleted: run_is_deleted.map_err(gone)?,
        job_run: record.origin.job_run_id.clone(),
        branch: record.origin.git_branch.clone(),
        edits: record.origin.git_edits.clone(),
        code: code(git.as_ref(), commit.as_deref(), deployed.as_deref()),
        commit,
        pull_request,
        pull_request_unknown,
        verdict: judgement.map_or_else(String::new, |judgement| {
            format!("{}: {}", judgement.verdict.as_str(), judgement.reason)
        }),
        comparison: compared.map_err(gone)??,
        warnings: Vec::new(),
    };
    evidence.warnings = warnings(plan, &evidence);
    Ok(evidence)
}

/// The run that logged the version, wherever it is.
fn training_run(plan: &Plan) -> Option<TrainedIn> {
    let tags: Vec<KeyValue> = plan
        .from
        .tags
        .iter()
        .map(|(key, value)| KeyValue {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    TrainedIn::of_version(&plan.from.host, &plan.from.run_id, &tags)
}

/// Whether the run was deleted; `None` where it is in another workspace, or that one does not say.
fn is_deleted(trained: &TrainedIn, from: &OpenEnd<'_>) -> Option<bool> {
    if trained.host != from.host.trim_end_matches('/') {
        return None;
    }
    match mlflow::run(from.transport, &trained.run_id) {
        Ok(run) => Some(run.info.lifecycle_stage == "deleted"),
        Err(error) if error.is_not_found() => Some(true),
        Err(_) => None,
    }
}

fn code(git: Option<&Git>, trained: Option<&str>, deployed: Option<&str>) -> Code {
    let (Some(trained), Some(deployed)) = (trained, deployed.filter(|commit| !commit.is_empty()))
    else {
        return Code::Unknown;
    };
    if trained == deployed {
        return Code::Same;
    }
    let apart = git.and_then(|git| git.ahead_behind(deployed, trained).ok().flatten());
    Code::Other {
        deployed: deployed.to_owned(),
        lacks: apart.map(|(lacks, _)| lacks),
        beyond: apart.map(|(_, beyond)| beyond),
    }
}

fn warnings(plan: &Plan, evidence: &Evidence) -> Vec<String> {
    let mut warnings = Vec::new();
    if !matches!(evidence.code, Code::Same) {
        warnings.push(format!(
            "{}: the inference there may read its inputs otherwise than training did",
            evidence.code.sentence(&plan.to.target)
        ));
    }
    if let (Some(run), Some(true)) = (&evidence.run, evidence.run_is_deleted) {
        warnings.push(format!(
            "its training run {run} was deleted: what it logged is lost, or will be"
        ));
    }
    if let Some(edits) = &evidence.edits {
        warnings.push(format!(
            "it was trained with {edits} beside the commit, which were not reviewed"
        ));
    }
    if plan.found.champion.is_some()
        && !plan.is_champion()
        && matches!(evidence.comparison, Comparison::Alone { .. })
    {
        warnings.push("candidate and champion were not measured on the same data".to_owned());
    }
    if let Some(pull) = &evidence.pull_request
        && pull.approvers.is_empty()
    {
        warnings.push(format!("pull request {} was not approved", pull.number));
    }
    if !plan.found.others.is_empty() {
        let numbers: Vec<String> = plan.found.others.iter().map(u64::to_string).collect();
        warnings.push(format!(
            "{} has further copies of the same version: {}",
            plan.to.target,
            numbers.join(", ")
        ));
    }
    warnings
}

pub(super) use words::short;
