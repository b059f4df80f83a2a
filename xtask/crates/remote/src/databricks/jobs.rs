//! Jobs API 2.2: start a job, follow its run, read what its tasks left.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::Error;
use crate::transport::{Method, Request, Transport, call, field, list, pages};

/// A run of a job.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    #[serde(default)]
    pub job_id: i64,
    pub run_id: i64,
    /// Name of the job at the time.
    #[serde(default)]
    pub run_name: String,
    /// The page that shows it.
    #[serde(default)]
    pub run_page_url: String,
    /// Where it stands.
    #[serde(default)]
    pub state: State,
    /// Start, in milliseconds since 1970.
    #[serde(default)]
    pub start_time: i64,
    /// End, in milliseconds since 1970; 0 while it runs.
    #[serde(default)]
    pub end_time: i64,
    #[serde(default)]
    pub tasks: Vec<Task>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    pub run_id: i64,
    /// Its key in the job.
    pub task_key: String,
    /// Where it stands.
    #[serde(default)]
    pub state: State,
    /// Start, in milliseconds since 1970; 0 before.
    #[serde(default)]
    pub start_time: i64,
    /// End, in milliseconds since 1970; 0 before.
    #[serde(default)]
    pub end_time: i64,
    /// The notebook that it runs, if it runs one.
    pub notebook_task: Option<NotebookTask>,
    /// What it repeats, if it is a loop.
    #[serde(default)]
    pub for_each_task: Option<IgnoredAny>,
    /// The page that shows it.
    #[serde(default)]
    pub run_page_url: String,
}

/// What a notebook task runs.
#[derive(Debug, Clone, Deserialize)]
pub struct NotebookTask {
    /// Path in the workspace, without extension.
    pub notebook_path: String,
}

/// Where a run or a task stands. Unknown values are kept as they come.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct State {
    /// `BLOCKED`, `PENDING`, `QUEUED`, `RUNNING`, `TERMINATING`, then one of `TERMINATED`,
    /// `SKIPPED`, `INTERNAL_ERROR`.
    #[serde(default)]
    pub life_cycle_state: String,
    /// `SUCCESS`, `FAILED`, `TIMEDOUT`, `CANCELED`, `UPSTREAM_FAILED`, …; empty before the end.
    #[serde(default)]
    pub result_state: String,
    /// A sentence for people.
    #[serde(default)]
    pub state_message: String,
}

impl State {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self.life_cycle_state.as_str(),
            "TERMINATED" | "SKIPPED" | "INTERNAL_ERROR"
        )
    }

    /// Whether it ended well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.life_cycle_state == "TERMINATED" && self.result_state == "SUCCESS"
    }

    /// The one word that says most: the result once there is one, the life cycle before.
    #[must_use]
    pub fn word(&self) -> &str {
        if self.result_state.is_empty() {
            &self.life_cycle_state
        } else {
            &self.result_state
        }
    }
}

/// What a task left.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Output {
    /// What `dbutils.notebook.exit` was given.
    #[serde(default)]
    pub notebook_output: NotebookOutput,
    /// The last of what it printed, where the workspace keeps that.
    #[serde(default)]
    pub logs: String,
    /// The error in one line.
    #[serde(default)]
    pub error: String,
    /// The traceback, with terminal colours.
    #[serde(default)]
    pub error_trace: String,
    /// The run of another job, where the task started one.
    #[serde(default)]
    pub run_job_output: Option<RunJobOutput>,
}

/// The run that a task started.
#[derive(Debug, Clone, Deserialize)]
pub struct RunJobOutput {
    pub run_id: i64,
}

/// The value of `dbutils.notebook.exit`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NotebookOutput {
    /// The value.
    #[serde(default)]
    pub result: String,
}

/// Starts a run of a job. `token` makes a repetition return the same run.
pub fn run_now(
    transport: &dyn Transport,
    job_id: i64,
    parameters: &BTreeMap<String, String>,
    token: &str,
) -> Result<i64, Error> {
    let mut body = json!({ "job_id": job_id, "idempotency_token": token });
    if !parameters.is_empty() {
        body["job_parameters"] = json!(parameters);
    }
    let request = Request::new(Method::Post, "/api/2.2/jobs/run-now")
        .json(&body)
        .repeatable();
    field(transport, &request, "run_id")
}

/// A run with all its tasks, in the order in which they started.
pub fn run(transport: &dyn Transport, run_id: i64) -> Result<Run, Error> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(flatten)]
        run: Run,
        next_page_token: Option<String>,
    }
    let request = Request::new(Method::Get, "/api/2.2/jobs/runs/get").query("run_id", run_id);
    let first: Page = call(transport, &request)?;
    let (mut run, mut next) = (first.run, first.next_page_token);
    // 100 tasks a page.
    while let Some(token) = next.filter(|token| !token.is_empty()) {
        let page: Page = call(transport, &request.clone().query("page_token", &token))?;
        run.tasks.extend(page.run.tasks);
        next = page.next_page_token.filter(|following| *following != token);
    }
    // They come in the order of the job's definition; people read them as they started.
    run.tasks
        .sort_by_key(|task| (task.start_time == 0, task.start_time));
    Ok(run)
}

/// The iterations of a task that is a loop, in the order of its inputs.
pub fn iterations(transport: &dyn Transport, task_run_id: i64) -> Result<Vec<Task>, Error> {
    let request = Request::new(Method::Get, "/api/2.2/jobs/runs/get").query("run_id", task_run_id);
    pages(transport, &request, "iterations")
}

/// What a task run left.
pub fn output(transport: &dyn Transport, task_run_id: i64) -> Result<Output, Error> {
    let request =
        Request::new(Method::Get, "/api/2.2/jobs/runs/get-output").query("run_id", task_run_id);
    call(transport, &request)
}

/// Asks for the end of a run; it may take a moment to come.
pub fn cancel(transport: &dyn Transport, run_id: i64) -> Result<(), Error> {
    let request = Request::new(Method::Post, "/api/2.2/jobs/runs/cancel")
        .json(&json!({ "run_id": run_id }))
        .repeatable();
    transport.send(&request).map(drop)
}

/// The newest runs of a job, newest first; of all jobs where `job_id` is `None`. At most 25.
pub fn newest_runs(transport: &dyn Transport, job_id: Option<i64>) -> Result<Vec<Run>, Error> {
    let mut request = Request::new(Method::Get, "/api/2.2/jobs/runs/list").query("limit", 25);
    if let Some(job_id) = job_id {
        request = request.query("job_id", job_id);
    }
    list(transport, &request, "runs")
}

/// Whether there is such a job.
pub fn exists(transport: &dyn Transport, job_id: i64) -> Result<bool, Error> {
    let request = Request::new(Method::Get, "/api/2.2/jobs/get").query("job_id", job_id);
    match transport.send(&request) {
        Ok(_) => Ok(true),
        // Databricks answers 400 to this.
        Err(Error::Refused { message, .. }) if message.contains("does not exist") => Ok(false),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}
