//! Jobs and runs in the words of the API.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::state::{App, now_ms};
use crate::store::{Job, LifeCycle, ResultState, Run, RunState, TaskRun};

/// A job with all its settings.
pub(super) fn job(job: &Job) -> Value {
    json!({
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": run_as(job),
        "created_time": job.created_time,
        "settings": job.settings,
    })
}

/// A job as it stands in a list: without tasks, unless they are asked for.
pub(super) fn listed_job(job: &Job, expand_tasks: bool) -> Value {
    let mut settings = job.settings.clone();
    if let (false, Some(object)) = (expand_tasks, settings.as_object_mut()) {
        for detail in ["tasks", "job_clusters", "environments", "parameters"] {
            object.remove(detail);
        }
    }
    json!({
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "created_time": job.created_time,
        "settings": settings,
    })
}

fn run_as(job: &Job) -> &str {
    let run_as = &job.settings["run_as"];
    run_as["user_name"]
        .as_str()
        .or(run_as["service_principal_name"].as_str())
        .unwrap_or(&job.creator)
}

/// A run, with its tasks where they are given.
pub(super) fn run(app: &App, run: &Run, tasks: Option<&[TaskRun]>) -> Value {
    let mut body = json!({
        "job_id": run.job_id,
        "run_id": run.run_id,
        "number_in_job": run.number_in_job,
        "original_attempt_run_id": run.run_id,
        "creator_user_name": run.creator,
        "run_name": run.run_name,
        "run_page_url": app.run_page_url(run.job_id, run.run_id),
        "run_type": "JOB_RUN",
        "trigger": "ONE_TIME",
        "format": "MULTI_TASK",
        "state": state(&run.state),
        "status": status(&run.state),
        "start_time": run.start_time,
        "end_time": run.end_time.unwrap_or(0),
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "run_duration": run.end_time.unwrap_or_else(now_ms) - run.start_time,
        "job_parameters": job_parameters(run),
        "overriding_parameters": {"notebook_params": run.overrides["notebook_params"]},
    });
    if let Some(tasks) = tasks {
        body["tasks"] = tasks.iter().map(|one| task(app, run, one)).collect();
    }
    body
}

fn job_parameters(run: &Run) -> Vec<Value> {
    let declared = run.settings["parameters"].as_array().into_iter().flatten();
    let value = |name: &str| run.parameters.get(name);
    declared
        .filter_map(|entry| Some((entry["name"].as_str()?, &entry["default"])))
        .map(|(name, default)| json!({"name": name, "default": default, "value": value(name)}))
        .collect()
}

/// A task run: the task as declared, and where it stands.
fn task(app: &App, run: &Run, task: &TaskRun) -> Value {
    let mut body = task.settings.clone();
    let started = task.execution_started_at.or(task.start_time);
    let end = task.end_time.or(started).unwrap_or(0);
    let setup = task
        .execution_started_at
        .zip(task.start_time)
        .map_or(0, |(execution, start)| execution - start);
    body["run_id"] = task.run_id.into();
    body["task_key"] = task.task_key.as_str().into();
    body["attempt_number"] = task.attempt_number.into();
    body["state"] = state(&task.state);
    body["status"] = status(&task.state);
    body["start_time"] = task.start_time.unwrap_or(0).into();
    body["end_time"] = task.end_time.unwrap_or(0).into();
    body["setup_duration"] = setup.into();
    body["execution_duration"] = started.map_or(0, |started| end - started).into();
    body["cleanup_duration"] = 0.into();
    body["run_page_url"] = app.run_page_url(run.job_id, run.run_id).into();
    if !task.parameters.is_empty() {
        body["resolved_values"] = json!({"notebook_task": {"base_parameters": task.parameters}});
    }
    body
}

/// What a task run left behind. `notebook_output` is always there: with an empty one clients show the logs.
pub(super) fn output(app: &App, run: &Run, task_run: &TaskRun) -> Value {
    let output = &task_run.output;
    let mut metadata = task(app, run, task_run);
    metadata["job_id"] = run.job_id.into();
    metadata["run_name"] = run.run_name.as_str().into();
    metadata["creator_user_name"] = run.creator.as_str().into();
    let mut body = json!({
        "metadata": metadata,
        "notebook_output": match &output.notebook_result {
            Some(result) => json!({"result": result, "truncated": false}),
            None => json!({}),
        },
    });
    if let Some(logs) = &output.logs {
        body["logs"] = logs.as_str().into();
        body["logs_truncated"] = output.logs_truncated.into();
    }
    if let Some(error) = &output.error {
        body["error"] = error.as_str().into();
    }
    if let Some(trace) = &output.error_trace {
        body["error_trace"] = trace.as_str().into();
    }
    body
}

/// The older form of a state, the one that the CLI reads.
fn state(state: &RunState) -> Value {
    let mut body = json!({
        "life_cycle_state": state.life_cycle.as_str(),
        "state_message": state.message,
        "user_cancelled_or_timedout": matches!(state.result, Some(ResultState::Canceled | ResultState::TimedOut)),
    });
    if let Some(result) = state.result {
        body["result_state"] = result.as_str().into();
    }
    if state.life_cycle == LifeCycle::Queued {
        body["queue_reason"] = "as many runs of this job are active as it allows".into();
    }
    body
}

/// The newer form of a state.
fn status(state: &RunState) -> Value {
    match state.life_cycle {
        LifeCycle::Queued => json!({
            "state": "QUEUED",
            "queue_details": {
                "code": "MAX_CONCURRENT_RUNS_REACHED",
                "message": "as many runs of this job are active as it allows",
            },
        }),
        active if !active.has_ended() => json!({"state": active.as_str()}),
        ended => {
            let (code, kind) = termination(ended, state.result);
            json!({
                "state": "TERMINATED",
                "termination_details": {"code": code, "type": kind, "message": state.message},
            })
        }
    }
}

fn termination(life_cycle: LifeCycle, result: Option<ResultState>) -> (&'static str, &'static str) {
    match result {
        Some(ResultState::Success) => ("SUCCESS", "SUCCESS"),
        Some(ResultState::Canceled) => ("USER_CANCELED", "CLIENT_ERROR"),
        Some(ResultState::Disabled) => ("DISABLED", "SUCCESS"),
        Some(ResultState::Excluded) => ("SKIPPED", "SUCCESS"),
        Some(ResultState::UpstreamFailed | ResultState::UpstreamCanceled) => {
            ("SKIPPED", "CLIENT_ERROR")
        }
        Some(ResultState::MaximumConcurrentRunsReached) => {
            ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR")
        }
        Some(ResultState::Failed | ResultState::TimedOut) => {
            ("RUN_EXECUTION_ERROR", "CLIENT_ERROR")
        }
        None if life_cycle == LifeCycle::Skipped => ("SKIPPED", "SUCCESS"),
        None => ("INTERNAL_ERROR", "INTERNAL_ERROR"),
    }
}

/// One page of a list; `next` is the offset of the following one.
pub(super) fn page(name: &str, items: Vec<Value>, next: Option<u32>) -> Value {
    let mut body = json!({"has_more": next.is_some()});
    if !items.is_empty() {
        body[name] = items.into();
    }
    if let Some(next) = next {
        body["next_page_token"] = next.to_string().into();
    }
    body
}

/// How many items a page has.
pub(super) fn limit(given: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    match given.unwrap_or(0) {
        0 => Ok(default),
        limit if limit <= most => Ok(limit),
        _ => Err(ApiError::invalid(format!(
            "limit must be between 1 and {most}"
        ))),
    }
}

/// Where a page begins. Our page tokens are offsets.
pub(super) fn offset(page_token: Option<&str>) -> Result<u32, ApiError> {
    match page_token {
        None | Some("") => Ok(0),
        Some(token) => token
            .parse()
            .map_err(|_| ApiError::invalid("page_token is not one that we handed out")),
    }
}
