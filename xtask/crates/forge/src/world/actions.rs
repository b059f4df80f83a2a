//! Workflows, their runs, environments and deployments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Id;
use crate::clock::Time;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Workflow {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) created_at: Time,
}

/// The state of its jobs is in the check runs of its suite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkflowRun {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) workflow: Id,
    pub(crate) suite: Id,
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    pub(crate) title: String,
    pub(crate) event: String,
    pub(crate) head_sha: String,
    pub(crate) head_branch: Option<String>,
    pub(crate) actor: Id,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) started_at: Time,
    #[serde(default)]
    pub(crate) cancelled: bool,
    /// Environments whose reviewers have not decided.
    #[serde(default)]
    pub(crate) waiting_for: Vec<Id>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispatch {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) workflow: Id,
    pub(crate) git_ref: String,
    pub(crate) inputs: BTreeMap<String, Value>,
    pub(crate) actor: Id,
    pub(crate) created_at: Time,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) name: String,
    pub(crate) wait_timer: u32,
    pub(crate) prevent_self_review: bool,
    pub(crate) reviewers: Vec<Id>,
    pub(crate) branch_policy: Option<BranchPolicy>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

/// Branches that may deploy.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct BranchPolicy {
    pub(crate) protected_branches: bool,
    pub(crate) custom_branch_policies: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) sha: String,
    pub(crate) git_ref: String,
    pub(crate) task: String,
    pub(crate) environment: String,
    pub(crate) description: Option<String>,
    pub(crate) payload: Value,
    pub(crate) transient: bool,
    pub(crate) production: bool,
    pub(crate) creator: Id,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) statuses: Vec<DeploymentStatus>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeploymentStatus {
    pub(crate) id: Id,
    /// `error`, `failure`, `inactive`, `in_progress`, `queued`, `pending` or `success`.
    pub(crate) state: String,
    pub(crate) description: String,
    pub(crate) log_url: String,
    pub(crate) environment_url: String,
    pub(crate) creator: Id,
    pub(crate) created_at: Time,
}
