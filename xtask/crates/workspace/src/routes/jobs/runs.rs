//! Runs: looking at them and ending them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{JobId, TASKS_PER_PAGE, cancel_runs_of, describe, find, start};
use crate::error::ApiError;
use crate::routes::extract::{JsonBody, QueryString};
use crate::runner;
use crate::state::App;
use crate::store::{Run, RunFilter, TaskRun};

#[derive(Deserialize)]
pub(super) struct GetRun {
    run_id: i64,
    page_token: Option<String>,
}

/// A run with its tasks; for the id of a task run, the run it belongs to with that task alone.
pub(super) async fn get_run(
    State(app): State<Arc<App>>,
    QueryString(query): QueryString<GetRun>,
) -> Result<Json<Value>, ApiError> {
    let (run, tasks) = match app.store.run(query.run_id)? {
        Some(run) => (run, app.store.task_runs(query.run_id)?),
        None => {
            let task = app
                .store
                .task_run(query.run_id)?
                .ok_or_else(|| absent(query.run_id))?;
            (find_run(&app, task.job_run_id)?, vec![task])
        }
    };
    let offset = describe::offset(query.page_token.as_deref())? as usize;
    let page: Vec<TaskRun> = tasks
        .iter()
        .skip(offset)
        .take(TASKS_PER_PAGE)
        .cloned()
        .collect();
    let mut body = describe::run(&app, &run, Some(&page));
    let end = offset + page.len();
    if end < tasks.len() {
        body["next_page_token"] = end.to_string().into();
    }
    Ok(Json(body))
}

#[derive(Deserialize)]
pub(super) struct ListRuns {
    job_id: Option<i64>,
    #[serde(default)]
    active_only: bool,
    #[serde(default)]
    completed_only: bool,
    #[serde(default)]
    expand_tasks: bool,
    limit: Option<u32>,
    offset: Option<u32>,
    page_token: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    QueryString(query): QueryString<ListRuns>,
) -> Result<Json<Value>, ApiError> {
    let limit = describe::limit(query.limit, 20, 100)?;
    let offset = describe::offset(query.page_token.as_deref())?.max(query.offset.unwrap_or(0));
    let active = match (query.active_only, query.completed_only) {
        (true, true) => {
            return Err(ApiError::invalid(
                "active_only and completed_only exclude each other",
            ));
        }
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    let filter = RunFilter {
        job_id: query.job_id,
        active,
        limit: limit + 1,
        offset,
    };
    let mut runs = app.store.runs(&filter)?;
    let more = runs.len() > limit as usize;
    runs.truncate(limit as usize);
    let mut bodies = Vec::new();
    for run in &runs {
        let tasks = if query.expand_tasks {
            Some(app.store.task_runs(run.run_id)?)
        } else {
            None
        };
        bodies.push(describe::run(&app, run, tasks.as_deref()));
    }
    Ok(Json(describe::page(
        "runs",
        bodies,
        more.then_some(offset + limit),
    )))
}

#[derive(Deserialize)]
pub(super) struct RunId {
    run_id: i64,
}

/// What a task run left behind; a run with one task may be named instead of it.
pub(super) async fn get_output(
    State(app): State<Arc<App>>,
    QueryString(query): QueryString<RunId>,
) -> Result<Json<Value>, ApiError> {
    let task = match app.store.task_run(query.run_id)? {
        Some(task) => task,
        None => {
            find_run(&app, query.run_id)?;
            let mut tasks = app.store.task_runs(query.run_id)?;
            if tasks.len() != 1 {
                return Err(ApiError::invalid(
                    "Retrieving the output of runs with multiple tasks is not supported. Retrieve the output of each \
                     task run instead.",
                ));
            }
            tasks.remove(0)
        }
    };
    let run = find_run(&app, task.job_run_id)?;
    Ok(Json(describe::output(&app, &run, &task)))
}

/// Asks for the end of a run; one that has ended is left alone.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RunId>,
) -> Result<Json<Value>, ApiError> {
    let run = find_run(&app, body.run_id)?;
    if run.end_time.is_none() && !start::cancel_queued(&app, &run)? {
        runner::cancel(app, run.run_id);
    }
    Ok(Json(json!({})))
}

/// Asks for the end of all active runs of a job.
pub(super) async fn cancel_all(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<JobId>,
) -> Result<Json<Value>, ApiError> {
    find(&app, body.job_id)?;
    cancel_runs_of(&app, body.job_id)?;
    Ok(Json(json!({})))
}

fn find_run(app: &App, run_id: i64) -> Result<Run, ApiError> {
    app.store.run(run_id)?.ok_or_else(|| absent(run_id))
}

fn absent(run_id: i64) -> ApiError {
    ApiError::not_found(format!("Run {run_id} does not exist."))
}
