//! The local workspace's own routes: what Databricks has no API for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::transport::{Method, Request, Transport, call, field};

/// Kinds of bundle resources that a local workspace has.
pub const RESOURCES: &[&str] = &[
    "catalogs",
    "clusters",
    "experiments",
    "job_runs",
    "jobs",
    "models",
    "pipelines",
    "registered_models",
    "schemas",
    "secret_scopes",
    "sql_warehouses",
    "volumes",
];

/// Kinds of tasks that its jobs may have.
pub const TASKS: &[&str] = &[
    "condition_task",
    "for_each_task",
    "notebook_task",
    "pipeline_task",
    "python_wheel_task",
    "run_job_task",
    "spark_python_task",
];

/// How long it may take to say how it is.
const ANSWER: Duration = Duration::from_secs(10);

/// What the local workspace says about itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    pub workspace_id: String,
    /// Its address.
    pub url: String,
    /// Who one is there.
    pub user: String,
    /// Seconds since its start.
    pub uptime_seconds: u64,
    /// Seconds since it was last used.
    pub idle_seconds: u64,
    /// Whether it stays although it is idle.
    pub keep: bool,
    /// Whether schedules start runs.
    #[serde(default)]
    pub schedules: bool,
    /// Job runs that are not finished.
    pub active_runs: u64,
    /// The MLflow server behind it.
    pub mlflow: Mlflow,
}

/// The MLflow server behind the local workspace.
#[derive(Debug, Clone, Deserialize)]
pub struct Mlflow {
    /// `starting`, `ready` or `failed`.
    pub state: String,
    /// Why it failed.
    pub message: Option<String>,
}

/// The jobs that something starts by itself.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Schedules {
    /// Whether schedules start runs.
    pub firing: bool,
    /// The jobs, newest first.
    pub jobs: Vec<Scheduled>,
}

/// A job that something starts by itself.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Scheduled {
    pub job_id: i64,
    pub name: String,
    /// What starts it: a cron expression with its time zone, a period, or what Databricks would wait for.
    pub trigger: String,
    /// Whether that is switched off.
    pub paused: bool,
    /// Whether it depends on the clock alone; anything else never starts runs on a local workspace.
    pub by_clock: bool,
    /// When it is due next.
    pub next: Option<String>,
    /// Whether it starts runs there.
    pub fires: bool,
}

/// The part of a task's event file that was asked for.
#[derive(Debug, Clone)]
pub struct Events {
    /// Whole lines of JSON.
    pub lines: String,
    /// Where to go on next time, in bytes.
    pub next_offset: u64,
}

/// Asks how it is.
pub fn status(transport: &dyn Transport) -> Result<Status, Error> {
    // Where it does not run, the connection is refused at once; where the machine is loaded, it is slow to answer.
    let request = Request::new(Method::Get, "/local/v1/status").once();
    call(transport, &request.within(ANSWER))
}

/// Asks what starts jobs by itself, and when next.
pub fn schedules(transport: &dyn Transport) -> Result<Schedules, Error> {
    let request = Request::new(Method::Get, "/local/v1/schedules");
    call(transport, &request.within(ANSWER))
}

/// Asks it to end: runs are cancelled, MLflow is stopped.
pub fn shutdown(transport: &dyn Transport) -> Result<(), Error> {
    transport
        .send(&Request::new(Method::Post, "/local/v1/shutdown").json(&json!({})))
        .map(drop)
}

/// A link that signs the reader's browser in once and leads to `path`.
pub fn sign_in(transport: &dyn Transport, path: &str) -> Result<String, Error> {
    let request = Request::new(Method::Post, "/local/v1/sign-in").json(&json!({ "path": path }));
    field(transport, &request, "url")
}

/// The notebook events of a task run, from a byte offset on.
pub fn events(transport: &dyn Transport, task_run_id: i64, offset: u64) -> Result<Events, Error> {
    let path = format!("/local/v1/task-runs/{task_run_id}/events");
    let reply = transport.send(&Request::new(Method::Get, path).query("offset", offset))?;
    let next = reply
        .header("x-next-offset")
        .and_then(|value| value.parse().ok());
    Ok(Events {
        next_offset: next.unwrap_or(offset + reply.body.len() as u64),
        lines: String::from_utf8_lossy(&reply.body).into_owned(),
    })
}
