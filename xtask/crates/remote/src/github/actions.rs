//! GitHub Actions: asking for a run, the runs of a commit, what they wait for, the log of a job, and running
//! what failed once more.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::GitHub;
use super::repositories::Name;
use crate::Error;
use crate::escape::segment;
use crate::transport::{Method, Request};

/// The log of a job that has ended, as plain text. GitHub leads to another host for it, which does not
/// get the token.
///
/// # Errors
/// Any [`Error`]; one that [`Error::is_not_found`] while the job runs, and one with status 410 once the
/// log is deleted.
pub fn job_log(github: &GitHub, name: &Name, job: u64) -> Result<String, Error> {
    let path = format!("{}/actions/jobs/{job}/logs", name.path());
    let request = Request::new(Method::Get, path).within(Duration::from_secs(60));
    let log = github.elsewhere(&request)?.body;
    Ok(String::from_utf8_lossy(&log).into_owned())
}

/// Runs the failed jobs of a workflow's run once more, with those that depend on them.
///
/// # Errors
/// Any [`Error`]; one with status 403 for a run that is too old or has not ended.
pub fn rerun_failed(github: &GitHub, name: &Name, run: u64) -> Result<(), Error> {
    let path = format!("{}/actions/runs/{run}/rerun-failed-jobs", name.path());
    github.send(&Request::new(Method::Post, path)).map(drop)
}

/// A run of a workflow.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    /// Its number, by which it is addressed.
    pub id: u64,
    /// The workflow's file, below the repository; some GitHubs add `@` and a ref.
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub head_branch: Option<String>,
    /// The commit that it is for.
    pub head_sha: String,
    /// What it is called: by the workflow's `run-name`, where it has one.
    #[serde(default)]
    pub display_title: String,
    /// What started it.
    #[serde(default)]
    pub event: String,
    /// `queued`, `in_progress`, `waiting` for an approval, `completed`, ….
    #[serde(default)]
    pub status: Option<String>,
    /// How it ended: `success`, `failure`, `cancelled`, …; `None` before that.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// Its page.
    pub html_url: String,
}

impl Run {
    /// Whether it is one of the workflow in this file of `.github/workflows`.
    #[must_use]
    pub fn is_of(&self, file: &str) -> bool {
        let path = self.path.split('@').next().unwrap_or_default();
        path.strip_prefix(".github/workflows/") == Some(file)
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }

    /// Whether it has ended well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.is_over() && self.conclusion.as_deref() == Some("success")
    }
}

/// The runs for a commit, newest first.
pub fn runs_of(github: &GitHub, name: &Name, sha: &str) -> Result<Vec<Run>, Error> {
    let path = format!("{}/actions/runs", name.path());
    let request = Request::new(Method::Get, path).query("head_sha", sha);
    github.pages(&request, Some("workflow_runs"))
}

pub fn run(github: &GitHub, name: &Name, run: u64) -> Result<Run, Error> {
    let path = format!("{}/actions/runs/{run}", name.path());
    github.call(&Request::new(Method::Get, path))
}

/// An environment that a run waits to be let into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub environment: String,
    /// Whether the token's owner may let it in.
    pub can_approve: bool,
    /// Who may: users by their login, teams by their slug.
    pub reviewers: Vec<String>,
}

/// What a run waits for.
pub fn waiting_for(github: &GitHub, name: &Name, run: u64) -> Result<Vec<Waiting>, Error> {
    #[derive(Deserialize)]
    struct Pending {
        environment: Environment,
        #[serde(default)]
        current_user_can_approve: bool,
        #[serde(default)]
        reviewers: Vec<Reviewer>,
    }
    #[derive(Deserialize)]
    struct Environment {
        #[serde(default)]
        name: Option<String>,
    }
    #[derive(Deserialize)]
    struct Reviewer {
        reviewer: Who,
    }
    #[derive(Deserialize)]
    struct Who {
        login: Option<String>,
        slug: Option<String>,
    }
    let path = format!("{}/actions/runs/{run}/pending_deployments", name.path());
    let pending: Vec<Pending> = github.call(&Request::new(Method::Get, path))?;
    Ok(pending
        .into_iter()
        .map(|pending| Waiting {
            environment: pending.environment.name.unwrap_or_default(),
            can_approve: pending.current_user_can_approve,
            reviewers: pending
                .reviewers
                .into_iter()
                .filter_map(|one| one.reviewer.login.or(one.reviewer.slug))
                .collect(),
        })
        .collect())
}

/// A job of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    pub name: String,
    /// `queued`, `in_progress`, `waiting`, `completed`, ….
    pub status: String,
    /// How it ended.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// Its page.
    #[serde(default)]
    pub html_url: Option<String>,
    /// Its steps, in order.
    #[serde(default)]
    pub steps: Vec<JobStep>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct JobStep {
    pub name: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended: `success` also where it failed and was allowed to.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// When it began, RFC 3339, to the second.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<String>,
}

impl Job {
    /// The step that the job failed by: what comes after it runs only to clean up.
    #[must_use]
    pub fn failed_step(&self) -> Option<&JobStep> {
        const BAD: &[&str] = &["failure", "timed_out", "cancelled"];
        let is_bad = |step: &&JobStep| {
            step.conclusion
                .as_deref()
                .is_some_and(|end| BAD.contains(&end))
        };
        self.steps.iter().find(is_bad)
    }
}

pub fn job(github: &GitHub, name: &Name, job: u64) -> Result<Job, Error> {
    let path = format!("{}/actions/jobs/{job}", name.path());
    github.call(&Request::new(Method::Get, path))
}

/// Asks for a workflow to be run; sent once. `workflow` is its file's name. The run's number, where GitHub says it: a
/// GitHub Enterprise Server may not.
///
/// # Errors
/// Any [`Error`]: 404 when there is no such workflow or the token may not see it, 403 when it may not start it, 422 when
/// the workflow does not listen to this on the ref, or has other inputs. After one that [`Error::leaves_open`] look
/// with [`dispatched`] before asking again.
pub fn dispatch(
    github: &GitHub,
    name: &Name,
    workflow: &str,
    git_ref: &str,
    inputs: &Value,
) -> Result<Option<u64>, Error> {
    const DETAILS: &str = "return_run_details";
    let path = format!(
        "{}/actions/workflows/{}/dispatches",
        name.path(),
        segment(workflow)
    );
    let ask = |body: Value| {
        let request = Request::new(Method::Post, path.clone())
            .json(&body)
            .within(Duration::from_secs(30));
        let response = github.send(&request)?;
        match response.body.is_empty() {
            true => Ok(None),
            false => response.field(&request, "workflow_run_id").map(Some),
        }
    };
    match ask(json!({"ref": git_ref, "inputs": inputs, DETAILS: true})) {
        // A server that is older than the field names it, and has done nothing.
        Err(error)
            if matches!(error.status(), Some(400 | 422)) && error.to_string().contains(DETAILS) =>
        {
            ask(json!({"ref": git_ref, "inputs": inputs}))
        }
        told => told,
    }
}

/// The newest runs of a workflow that were dispatched on a branch, newest first; a hundred at most.
pub fn dispatched(
    github: &GitHub,
    name: &Name,
    workflow: &str,
    branch: &str,
) -> Result<Vec<Run>, Error> {
    let path = format!(
        "{}/actions/workflows/{}/runs",
        name.path(),
        segment(workflow)
    );
    let request = Request::new(Method::Get, path)
        .query("event", "workflow_dispatch")
        .query("branch", branch)
        .query("per_page", 100);
    github.send(&request)?.field(&request, "workflow_runs")
}

/// The jobs of a run, of the newest attempt.
pub fn jobs(github: &GitHub, name: &Name, run: u64) -> Result<Vec<Job>, Error> {
    let path = format!("{}/actions/runs/{run}/jobs", name.path());
    let request = Request::new(Method::Get, path).query("filter", "latest");
    github.pages(&request, Some("jobs"))
}
