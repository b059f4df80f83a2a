//! `runs/get`, `list`, `get-output`, `export`, `cancel` and `delete`.

use axum::Json;
use serde::Deserialize;
use serde_json::json;

use super::{TASKS_PER_PAGE, cancel_runs, describe, describe_run, find};
use crate::access::{self, Act};
use crate::call::{Call, JsonBody, QueryString, Reply, on_disk};
use crate::error::ApiError;
use crate::store::{Run, RunFilter, RunType, TaskRun};
use crate::{pages, runner};

#[derive(Deserialize)]
pub(super) struct GetRun {
    run_id: i64,
    page_token: Option<String>,
    #[serde(default)]
    include_history: bool,
}

/// For the id of a task run: its run with that task only.
pub(super) async fn get_run(call: Call, QueryString(query): QueryString<GetRun>) -> Reply {
    let mut iterations = Vec::new();
    let (run, tasks) = match call.store.run(query.run_id)? {
        Some(run) => {
            access::run(&call, &run, Act::View)?;
            (run, call.store.task_runs(query.run_id)?)
        }
        None => {
            let task = call
                .store
                .task_run(query.run_id)?
                .ok_or_else(|| absent(query.run_id))?;
            iterations = call.store.iterations(task.run_id)?;
            (find_run(&call, task.job_run_id, Act::View)?, vec![task])
        }
    };
    let offset = describe::offset(query.page_token.as_deref())? as usize;
    let page: Vec<TaskRun> = tasks
        .iter()
        .skip(offset)
        .take(TASKS_PER_PAGE)
        .cloned()
        .collect();
    let mut body = describe_run::run(&call, &run, Some(&page))?;
    if !iterations.is_empty() {
        let rest = iterations.get(offset..).unwrap_or_default();
        let page = &rest[..rest.len().min(TASKS_PER_PAGE)];
        body["iterations"] = describe_run::tasks(&call, &run, page)?;
    }
    if query.include_history {
        body["repair_history"] = describe_run::repair_history(&call, &run)?;
    }
    describe::pages(
        &mut body,
        offset,
        TASKS_PER_PAGE,
        tasks.len().max(iterations.len()),
    );
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
    run_type: Option<String>,
    start_time_from: Option<i64>,
    start_time_to: Option<i64>,
}

const RUNS_PER_PAGE: u32 = 26;

pub(super) async fn list(call: Call, QueryString(query): QueryString<ListRuns>) -> Reply {
    let limit = describe::limit(query.limit, 20, RUNS_PER_PAGE)?;
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
        run_type: query.run_type.as_deref().map(run_type).transpose()?,
        parent_run_id: None,
        start_time_from: query.start_time_from,
        start_time_to: query.start_time_to,
    };
    let mut runs = access::visible_runs(&call, &filter)?;
    let more = runs.len() > limit as usize;
    runs.truncate(limit as usize);
    let mut bodies = Vec::new();
    for run in &runs {
        let mut body = describe_run::run(&call, run, None)?;
        if query.expand_tasks {
            let tasks = call.store.task_runs(run.run_id)?;
            let page = &tasks[..tasks.len().min(TASKS_PER_PAGE)];
            body["tasks"] = describe_run::tasks(&call, run, page)?;
            body["has_more"] = (page.len() < tasks.len()).into();
        }
        bodies.push(body);
    }
    Ok(Json(describe::page("runs", bodies, more, offset, limit)))
}

#[derive(Deserialize)]
pub(super) struct RunId {
    run_id: i64,
}

/// Accepts the id of a run with one task, too.
pub(super) async fn get_output(call: Call, QueryString(query): QueryString<RunId>) -> Reply {
    let (run, task) = one_task(&call, query.run_id, "Retrieving the output")?;
    Ok(Json(describe_run::output(&call, &run, &task)?))
}

/// Does nothing if the run has ended.
pub(super) async fn cancel(call: Call, JsonBody(body): JsonBody<RunId>) -> Reply {
    let run = find_run(&call, body.run_id, Act::End)?;
    runner::cancel(&call.app, &run)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
pub(super) struct CancelAll {
    job_id: Option<i64>,
    #[serde(default)]
    all_queued_runs: bool,
}

/// Cancels the active runs of a job, or the queued runs of one job or of all.
pub(super) async fn cancel_all(call: Call, JsonBody(body): JsonBody<CancelAll>) -> Reply {
    match body.job_id {
        Some(job_id) => drop(find(&call, job_id, Act::Run)?),
        None if body.all_queued_runs && call.caller.is_admin() => {}
        None => return Err(ApiError::invalid("job_id is required")),
    }
    cancel_runs(&call.app, body.job_id, body.all_queued_runs)?;
    Ok(Json(json!({})))
}

/// Deletes a run that has ended, with the files of its tasks.
pub(super) async fn delete(call: Call, JsonBody(body): JsonBody<RunId>) -> Reply {
    find_run(&call, body.run_id, Act::Change)?;
    let Some(tasks) = call.store.delete_run(body.run_id)? else {
        return Err(ApiError::invalid(format!(
            "Run {} is active: cancel it, and delete it when it has ended",
            body.run_id
        )));
    };
    on_disk(&call.app, move |app| {
        for task in tasks {
            match std::fs::remove_dir_all(app.task_run_dir(task)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ApiError::disk("cannot remove the run's folder", &error));
                }
                _ => {}
            }
        }
        Ok(())
    })
    .await?;
    Ok(Json(json!({})))
}

fn run_type(name: &str) -> Result<RunType, ApiError> {
    let known = [RunType::JobRun, RunType::WorkflowRun, RunType::SubmitRun];
    known
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .ok_or_else(|| {
            let names = known.map(RunType::as_str).join(", ");
            ApiError::invalid(format!("run_type '{name}' is not one of {names}"))
        })
}

/// The task run with this id, or the newest attempt of the only task of a run.
pub(super) fn one_task(call: &Call, run_id: i64, what: &str) -> Result<(Run, TaskRun), ApiError> {
    if let Some(task) = call.store.task_run(run_id)? {
        return Ok((find_run(call, task.job_run_id, Act::View)?, task));
    }
    let run = find_run(call, run_id, Act::View)?;
    let tasks = call.store.task_runs(run_id)?;
    let many = tasks
        .windows(2)
        .any(|pair| pair[0].task_key != pair[1].task_key);
    match tasks.into_iter().next_back() {
        Some(task) if !many => Ok((run, task)),
        _ => Err(ApiError::invalid(format!(
            "{what} of runs with multiple tasks is not supported. Name one of the task runs instead."
        ))),
    }
}

/// Also checks the caller's right.
pub(super) fn find_run(call: &Call, run_id: i64, act: Act) -> Result<Run, ApiError> {
    let run = call.store.run(run_id)?.ok_or_else(|| absent(run_id))?;
    access::run(call, &run, act)?;
    Ok(run)
}

fn absent(run_id: i64) -> ApiError {
    ApiError::not_found(format!("Run {run_id} does not exist."))
}

/// An executed notebook as one HTML file. A notebook has one view. (`views_to_export` selects dashboards, which do not exist here.)
pub(super) async fn export(call: Call, QueryString(query): QueryString<RunId>) -> Reply {
    let (_, task) = one_task(&call, query.run_id, "Exporting")?;
    if task.settings.notebook_task.is_none() {
        return Err(ApiError::invalid(format!(
            "Run {} is not a notebook: only executed notebooks can be exported",
            query.run_id
        )));
    }
    let name = task.settings.notebook_path().rsplit('/').next();
    let view = json!({"type": "NOTEBOOK", "name": name.unwrap_or_default()});
    let content = on_disk(&call.app, move |app| {
        Ok(pages::executed_notebook(app, task))
    })
    .await?;
    let mut view = view;
    view["content"] = content.into();
    Ok(Json(json!({"views": [view]})))
}
