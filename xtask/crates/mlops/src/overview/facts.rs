//! What `status` found out: the object that `--json` prints, and that the screen is painted from.
//! docs/status.md describes the fields, docs/schemas/status.json their types.

use std::collections::BTreeMap;

use serde::Serialize;
use xtask_remote::mlflow::MetricValue;

pub(crate) use crate::checks::facts::{
    Branch, Check, CheckState, GitHub, PullRequest, Training, Unknown, Verdict,
};
use crate::links::LinkState;

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

/// A target of the bundle.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Environment {
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
    pub(crate) links: Option<Vec<LinkState>>,
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
    pub(crate) branch: Option<String>,
    /// What was deployed beside the commit, such as `1 edited file`; null where that is nothing or not known.
    pub(crate) edits: Option<String>,
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
    Workspace,
    Checkout,
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
    pub(crate) metric: String,
    /// Its values, oldest first.
    pub(crate) values: Vec<f64>,
}

/// The newest run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LastRun {
    pub(crate) run_id: i64,
    /// Its page.
    pub(crate) url: String,
    /// The result as Databricks words it; the state while it runs.
    pub(crate) result: String,
    /// Whether it ended well; null while it runs.
    pub(crate) ok: Option<bool>,
    pub(crate) started_at: Option<String>,
}

/// What monitoring found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Monitoring {
    /// Whether a limit is passed.
    pub(crate) beyond_limits: bool,
    pub(crate) reason: String,
    /// The version that was watched.
    pub(crate) version: Option<u64>,
    pub(crate) at: Option<String>,
}
