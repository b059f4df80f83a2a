//! Stores a run with its tasks and hands it to the runner, or queues it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{execution, queue, run_as, selection};
use crate::error::ApiError;
use crate::jobs::{Kind, NO_PIPELINES};
use crate::state::App;
use crate::store::{Job, LifeCycle, NewRun, NewTask, ResultState, Run, RunState, RunType, new_id};

/// Most characters of an idempotency token.
const LONGEST_TOKEN: usize = 64;

/// What the caller of a run may say about its parameters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    pub job_parameters: BTreeMap<String, String>,
    pub notebook_params: BTreeMap<String, String>,
    pub python_params: Vec<String>,
    pub python_named_params: BTreeMap<String, String>,
}

/// A request to run a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub idempotency_token: Option<String>,
    #[serde(flatten)]
    pub parameters: Parameters,
    pub only: Vec<String>,
    pub queue: Option<Value>,
    /// Who asks; empty for the job's creator, as when its schedule does.
    #[serde(skip)]
    pub creator: String,
    /// The run whose code asks.
    #[serde(skip)]
    pub parent_run_id: Option<i64>,
    /// The planned time, where a schedule asks, ms.
    #[serde(skip)]
    pub due_time: Option<i64>,
}

/// Starts a run of a job, or answers the one that the idempotency token made.
pub(crate) fn run_job(app: &Arc<App>, job: Job, request: Request) -> Result<Run, ApiError> {
    let (state, limit) = first_state(app, &job, request.queue.as_ref())?;
    let tasks = selection::tasks(&job.settings, &request.only, &state)?;
    refuse_pipelines(&tasks)?;
    let run_as = run_as::run_as(app, &job)?;
    run_as::check_known(app, &run_as)?;
    let given = &request.parameters;
    let new = NewRun {
        job_id: job.job_id,
        run_name: job.settings["name"].as_str().unwrap_or_default().to_owned(),
        idempotency_token: request.idempotency_token.filter(|token| !token.is_empty()),
        creator: if request.creator.is_empty() {
            job.creator.clone()
        } else {
            request.creator
        },
        run_as,
        parameters: parameters(&job.settings, &given.job_parameters)?,
        overrides: json!({
            "notebook_params": given.notebook_params, "python_params": given.python_params,
            "python_named_params": given.python_named_params, "only": request.only,
        }),
        tasks,
        state,
        settings: job.settings,
        run_type: RunType::JobRun,
        parent_run_id: request.parent_run_id,
        due_time: request.due_time,
    };
    begin(app, &new, limit)
}

/// Starts a run of tasks that belong to no job; `settings` are checked ones, and `creator` asks.
pub(crate) fn run_once(
    app: &Arc<App>,
    settings: Value,
    creator: &str,
    run_type: RunType,
    idempotency_token: Option<String>,
    parent_run_id: Option<i64>,
) -> Result<Run, ApiError> {
    let state = RunState::active(LifeCycle::Pending);
    let tasks = selection::tasks(&settings, &[], &state)?;
    refuse_pipelines(&tasks)?;
    let run_as = run_as::named(&settings).unwrap_or(creator).to_owned();
    run_as::check_known(app, &run_as)?;
    let new = NewRun {
        // Databricks, too, makes up a job that no list shows.
        job_id: new_id(15)?,
        run_name: settings["name"].as_str().unwrap_or_default().to_owned(),
        idempotency_token: idempotency_token.filter(|token| !token.is_empty()),
        creator: creator.to_owned(),
        run_as,
        parameters: BTreeMap::new(),
        overrides: json!({}),
        tasks,
        state,
        settings,
        run_type,
        parent_run_id,
        due_time: None,
    };
    begin(app, &new, 1)
}

fn begin(app: &Arc<App>, new: &NewRun, limit: i64) -> Result<Run, ApiError> {
    if app.stop.is_requested() {
        return Err(ending());
    }
    let token = new.idempotency_token.as_deref().unwrap_or_default();
    if token.chars().count() > LONGEST_TOKEN {
        return Err(ApiError::invalid(format!(
            "The idempotency token must have at most {LONGEST_TOKEN} characters."
        )));
    }
    let (run, is_new) = app.store.create_run(new)?;
    if is_new {
        match run.state.life_cycle {
            LifeCycle::Queued => {
                drop(tokio::spawn(queue::wait_in_queue(
                    app.clone(),
                    run.run_id,
                    limit,
                )));
            }
            LifeCycle::Pending => execution::start(app.clone(), run.run_id),
            _ => {}
        }
    }
    Ok(run)
}

/// A run that could not end well is refused before anything of it runs.
fn refuse_pipelines(tasks: &[NewTask]) -> Result<(), ApiError> {
    let is_pipeline = |task: &&NewTask| {
        !task.state.life_cycle.has_ended() && Kind::of(&task.settings) == Some(Kind::Pipeline)
    };
    match tasks.iter().find(is_pipeline) {
        None => Ok(()),
        Some(task) => Err(ApiError::not_implemented(format!(
            "task '{}' updates a pipeline: {NO_PIPELINES}, or leave the task out (`only`)",
            task.task_key
        ))),
    }
}

/// The workspace takes no new runs any more.
pub(super) fn ending() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "INVALID_STATE",
        "the workspace is ending; start it again first",
    )
}

/// Where a new run begins, and how many runs of the job may be active.
fn first_state(app: &App, job: &Job, queue: Option<&Value>) -> Result<(RunState, i64), ApiError> {
    let limit = job.settings["max_concurrent_runs"].as_i64().unwrap_or(1);
    if app.store.begun_runs(job.job_id)? < limit {
        return Ok((RunState::active(LifeCycle::Pending), limit));
    }
    let queues = queue.unwrap_or(&job.settings["queue"])["enabled"]
        .as_bool()
        .unwrap_or(false);
    if queues && limit > 0 {
        return Ok((RunState::active(LifeCycle::Queued), limit));
    }
    let message = format!("{limit} runs of this job are active, and it allows no more at a time");
    Ok((
        RunState::ended(
            LifeCycle::Skipped,
            ResultState::MaximumConcurrentRunsReached,
            message,
        ),
        limit,
    ))
}

/// The job's parameters: its defaults, overridden by the caller.
pub(super) fn parameters(
    settings: &Value,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let declared = settings["parameters"].as_array().into_iter().flatten();
    let mut values: BTreeMap<String, String> = declared
        .filter_map(|entry| {
            Some((
                entry["name"].as_str()?.to_owned(),
                entry["default"].as_str()?.to_owned(),
            ))
        })
        .collect();
    for (name, value) in given {
        let Some(slot) = values.get_mut(name) else {
            let known: Vec<&str> = values.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Err(ApiError::invalid(format!(
                "Job parameter '{name}' is not declared by the job; it has: {known}"
            )));
        };
        slot.clone_from(value);
    }
    Ok(values)
}
