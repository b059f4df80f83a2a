//! Stores a new run with its tasks, and hands it over.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use xtask_local_server::lock;

use super::{queue, run_as, selection};
use crate::error::ApiError;
use crate::jobs::{Declared, JobSettings, NO_PIPELINES, Queue};
use crate::state::App;
use crate::store::{Job, LifeCycle, NewRun, NewTask, Run, RunState, RunType, new_id};

/// Characters.
const LONGEST_TOKEN: usize = 64;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    pub job_parameters: BTreeMap<String, String>,
    pub notebook_params: BTreeMap<String, String>,
    pub python_params: Vec<String>,
    pub python_named_params: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub idempotency_token: Option<String>,
    #[serde(flatten)]
    pub parameters: Parameters,
    pub only: Vec<String>,
    pub queue: Option<Queue>,
    /// Empty for the job's creator, as when a schedule starts the run.
    #[serde(skip)]
    pub creator: String,
    /// The run whose code makes the request.
    #[serde(skip)]
    pub parent_run_id: Option<i64>,
    /// Milliseconds; for runs of a schedule.
    #[serde(skip)]
    pub due_time: Option<i64>,
}

/// Answers the existing run for a known idempotency token.
pub(crate) fn run_job(app: &Arc<App>, job: Job, request: Request) -> Result<Run, ApiError> {
    let admission = lock(&app.runner.admission);
    let state = queue::first_state(app, job.job_id, &job.settings, request.queue)?;
    let tasks = selection::tasks(&job.settings.tasks, &request.only, &state)?;
    refuse_pipelines(&tasks)?;
    let run_as = run_as::run_as(app, &job)?;
    run_as::check_known(app, &run_as)?;
    let given = &request.parameters;
    let new = NewRun {
        job_id: job.job_id,
        run_name: job.settings.name.clone(),
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
        settings: job.settings.into_json(),
        run_type: RunType::JobRun,
        parent_run_id: request.parent_run_id,
        due_time: request.due_time,
    };
    begin(app, &new, admission)
}

/// Runs tasks without a job; `settings` are validated.
pub(crate) fn run_once(
    app: &Arc<App>,
    settings: Declared<JobSettings>,
    creator: &str,
    run_type: RunType,
    idempotency_token: Option<String>,
    parent_run_id: Option<i64>,
) -> Result<Run, ApiError> {
    let state = RunState::active(LifeCycle::Pending);
    let tasks = selection::tasks(&settings.tasks, &[], &state)?;
    refuse_pipelines(&tasks)?;
    let run_as = settings.run_as.name().unwrap_or(creator).to_owned();
    run_as::check_known(app, &run_as)?;
    let new = NewRun {
        // Databricks, too, invents a job id that no list shows.
        job_id: new_id(15)?,
        run_name: settings.name.clone(),
        idempotency_token: idempotency_token.filter(|token| !token.is_empty()),
        creator: creator.to_owned(),
        run_as,
        parameters: BTreeMap::new(),
        overrides: json!({}),
        tasks,
        state,
        settings: settings.into_json(),
        run_type,
        parent_run_id,
        due_time: None,
    };
    begin(app, &new, lock(&app.runner.admission))
}

fn begin(app: &Arc<App>, new: &NewRun, admission: MutexGuard<'_, ()>) -> Result<Run, ApiError> {
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
    drop(admission);
    if is_new {
        queue::hand_over(app, &run);
    }
    Ok(run)
}

/// Refuses a run that must fail, before any of its tasks runs.
fn refuse_pipelines(tasks: &[NewTask]) -> Result<(), ApiError> {
    let is_pipeline = |task: &&NewTask| {
        !task.state.life_cycle.has_ended() && task.settings.pipeline_task.is_some()
    };
    match tasks.iter().find(is_pipeline) {
        None => Ok(()),
        Some(task) => Err(ApiError::not_implemented(format!(
            "task '{}' updates a pipeline: {NO_PIPELINES}, or exclude the task with `only`",
            task.task_key
        ))),
    }
}

pub(super) fn ending() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "INVALID_STATE",
        "the workspace is stopping; start it again",
    )
}

/// The job's defaults, overridden by the caller's values.
pub(super) fn parameters(
    settings: &JobSettings,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let declared = settings.parameters.iter();
    let mut values: BTreeMap<String, String> = declared
        .map(|parameter| (parameter.name.clone(), parameter.default.clone()))
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
