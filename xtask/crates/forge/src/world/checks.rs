//! Checks and statuses of commits.

use serde::{Deserialize, Serialize};

use super::Id;
use crate::clock::Time;

/// Check runs of one app (or one workflow run) for a commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CheckSuite {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) head_sha: String,
    pub(crate) head_branch: Option<String>,
    pub(crate) app: App,
    pub(crate) created_at: Time,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) id: Id,
    pub(crate) slug: String,
    pub(crate) name: String,
}

impl App {
    /// GitHub Actions, with its id on GitHub.
    pub(crate) fn actions() -> App {
        App {
            id: 15368,
            slug: "github-actions".to_owned(),
            name: "GitHub Actions".to_owned(),
        }
    }
}

/// A workflow job is a check run with the same id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CheckRun {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) suite: Id,
    /// The workflow run of a job, and its attempt.
    pub(crate) run: Option<Id>,
    pub(crate) attempt: u32,
    pub(crate) name: String,
    pub(crate) head_sha: String,
    /// `queued`, `in_progress`, `completed`, `waiting`, `requested` or `pending`.
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) started_at: Option<Time>,
    pub(crate) completed_at: Option<Time>,
    pub(crate) details_url: Option<String>,
    pub(crate) external_id: String,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) steps: Vec<Step>,
    /// The environment that the job deploys to.
    pub(crate) environment: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Annotation {
    pub(crate) path: String,
    pub(crate) start_line: u32,
    pub(crate) end_line: u32,
    /// `notice`, `warning` or `failure`.
    pub(crate) annotation_level: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) raw_details: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) number: u32,
    pub(crate) started_at: Option<Time>,
    pub(crate) completed_at: Option<Time>,
}

/// The older kind of check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) sha: String,
    pub(crate) context: String,
    /// `error`, `failure`, `pending` or `success`.
    pub(crate) state: String,
    pub(crate) target_url: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) creator: Id,
    pub(crate) created_at: Time,
}

/// The outcome of a check or status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Pending,
    Failed,
}

impl CheckRun {
    pub(crate) fn verdict(&self) -> Verdict {
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success" | "neutral" | "skipped")) => Verdict::Passed,
            ("completed", _) => Verdict::Failed,
            _ => Verdict::Pending,
        }
    }
}

impl Status {
    pub(crate) fn verdict(&self) -> Verdict {
        match self.state.as_str() {
            "success" => Verdict::Passed,
            "pending" => Verdict::Pending,
            _ => Verdict::Failed,
        }
    }
}
