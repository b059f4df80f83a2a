//! Runs and task runs in the API's format.

use serde_json::{Value, json};
use xtask_local_server::now_ms;

use crate::error::ApiError;
use crate::jobs::{Kind, Parameter};
use crate::runner;
use crate::state::App;
use crate::store::{LifeCycle, ResultState, Run, RunState, RunType, TaskRun};

pub(super) fn run(app: &App, run: &Run, tasks: Option<&[TaskRun]>) -> Result<Value, ApiError> {
    let mut body = json!({
        "job_id": run.job_id,
        "run_id": run.run_id,
        "number_in_job": run.number_in_job,
        "original_attempt_run_id": run.run_id,
        "creator_user_name": run.creator,
        "run_name": run.run_name,
        "run_page_url": app.run_page_url(run.job_id, run.run_id),
        "run_type": run.run_type.as_str(),
        "trigger": trigger(run),
        "format": "MULTI_TASK",
        "state": state(&run.state),
        "status": status(&run.state),
        "start_time": run.start_time,
        "end_time": run.end_time.unwrap_or(0),
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "run_duration": (run.end_time.unwrap_or_else(now_ms) - run.start_time).max(0),
        "job_parameters": job_parameters(app, run),
        "overriding_parameters": {
            "notebook_params": run.overrides["notebook_params"], "python_params": run.overrides["python_params"],
            "python_named_params": run.overrides["python_named_params"],
        },
    });
    if let (Some(_), Some(schedule)) = (run.due_time, &run.settings.schedule) {
        body["schedule"] = schedule.clone();
    }
    if let Some(given) = tasks {
        body["tasks"] = self::tasks(app, run, given)?;
    }
    Ok(body)
}

fn trigger(run: &Run) -> &'static str {
    match (run.due_time, run.run_type, run.parent_run_id) {
        (Some(_), _, _) => "PERIODIC",
        (None, RunType::JobRun, Some(_)) => "RUN_JOB_TASK",
        _ => "ONE_TIME",
    }
}

pub(super) fn tasks(app: &App, run: &Run, tasks: &[TaskRun]) -> Result<Value, ApiError> {
    tasks.iter().map(|one| task(app, run, one)).collect()
}

/// The original run, then the repairs.
pub(super) fn repair_history(app: &App, run: &Run) -> Result<Value, ApiError> {
    let lives = app.store.repairs(run.run_id)?;
    Ok(lives
        .iter()
        .map(|life| {
            let (now, end) = match &life.ended {
                Some((state, end)) => (state, *end),
                None => (&run.state, run.end_time.unwrap_or(0)),
            };
            let mut body = json!({
                "type": if life.number == 0 { "ORIGINAL" } else { "REPAIR" },
                "start_time": life.start_time,
                "end_time": end,
                "state": state(now),
                "status": status(now),
                "task_run_ids": life.task_run_ids,
            });
            if life.number > 0 {
                body["id"] = life.repair_id.into();
            }
            body
        })
        .collect())
}

fn job_parameters(app: &App, run: &Run) -> Vec<Value> {
    let declared = run.settings.parameters.iter();
    let values = runner::job_parameters(run, app.workspace());
    let value = |name: &str| values.get(name);
    declared
        .map(|Parameter { name, default }| json!({"name": name, "default": default, "value": value(name)}))
        .collect()
}

/// The declared task, and its state.
fn task(app: &App, run: &Run, task: &TaskRun) -> Result<Value, ApiError> {
    let mut body = task.settings.json().clone();
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
    body["execution_duration"] = started.map_or(0, |started| (end - started).max(0)).into();
    body["cleanup_duration"] = 0.into();
    body["run_page_url"] = app.run_page_url(run.job_id, run.run_id).into();
    describe_kind(app, task, &mut body)?;
    Ok(body)
}

/// Fields of one kind of task.
fn describe_kind(app: &App, task: &TaskRun, body: &mut Value) -> Result<(), ApiError> {
    let Some(kind) = task.settings.kind() else {
        return Ok(());
    };
    if task
        .parameters
        .as_object()
        .is_none_or(|given| !given.is_empty())
    {
        let given = &task.parameters;
        body["resolved_values"] = match kind {
            Kind::Notebook => json!({"notebook_task": {"base_parameters": given}}),
            Kind::PythonFile => json!({"spark_python_task": {"parameters": given}}),
            Kind::PythonWheel => json!({"python_wheel_task": {"parameters": given}}),
            Kind::RunJob => json!({"run_job_task": {"job_parameters": given}}),
            Kind::Condition | Kind::ForEach | Kind::Pipeline => json!({(kind.field()): given}),
        };
    }
    match (kind, task.outcome) {
        (Kind::Condition, Some(outcome)) => {
            body["condition_task"]["outcome"] = outcome.to_string().into();
        }
        (Kind::ForEach, _) => body["for_each_task"]["stats"] = loop_stats(app, task)?,
        _ => {}
    }
    Ok(())
}

/// Progress of a `for_each_task`.
fn loop_stats(app: &App, task: &TaskRun) -> Result<Value, ApiError> {
    let inputs = task.parameters["inputs"].as_str().unwrap_or("[]");
    let inputs: Vec<Value> = serde_json::from_str(inputs).unwrap_or_default();
    let attempts = app.store.iterations(task.run_id)?;
    // A retry of the same input is another row with the same index.
    let is_last = |index: usize, one: &TaskRun| {
        attempts
            .get(index + 1)
            .is_none_or(|next| next.attempt_number <= one.attempt_number)
    };
    let newest = attempts
        .iter()
        .enumerate()
        .filter(|(index, one)| is_last(*index, one));
    let (mut active, mut succeeded, mut failed) = (0, 0, 0);
    for (_, one) in newest {
        match (one.end_time, one.state.result) {
            (None, _) => active += 1,
            (Some(_), Some(ResultState::Success)) => succeeded += 1,
            (Some(_), _) => failed += 1,
        }
    }
    Ok(json!({"task_run_stats": {
        "total_iterations": inputs.len(),
        "scheduled_iterations": active + succeeded + failed,
        "active_iterations": active,
        "completed_iterations": succeeded + failed,
        "succeeded_iterations": succeeded,
        "failed_iterations": failed,
    }}))
}

/// A notebook always has a `notebook_output`: with an empty one, clients show the logs.
pub(super) fn output(app: &App, run: &Run, task_run: &TaskRun) -> Result<Value, ApiError> {
    let output = &task_run.output;
    let mut metadata = task(app, run, task_run)?;
    metadata["job_id"] = run.job_id.into();
    metadata["run_name"] = run.run_name.as_str().into();
    metadata["creator_user_name"] = run.creator.as_str().into();
    let mut body = json!({ "metadata": metadata });
    match (task_run.settings.kind(), &output.notebook_result) {
        (_, Some(result)) => {
            body["notebook_output"] = json!({"result": result, "truncated": false})
        }
        (Some(Kind::Notebook), None) => body["notebook_output"] = json!({}),
        _ => {}
    }
    if let Some(started) = task_run.started_run_id {
        body["run_job_output"] = json!({ "run_id": started });
    }
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
    Ok(body)
}

/// The older format, which the CLI reads.
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
        body["queue_reason"] = "the job's limit of concurrent runs is reached".into();
    }
    body
}

/// The newer format.
fn status(state: &RunState) -> Value {
    match state.life_cycle {
        LifeCycle::Queued => json!({
            "state": "QUEUED",
            "queue_details": {
                "code": "MAX_CONCURRENT_RUNS_REACHED",
                "message": "the job's limit of concurrent runs is reached",
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
        Some(ResultState::SuccessWithFailures) => ("SUCCESS_WITH_FAILURES", "SUCCESS"),
        // The platform cancels on a timeout.
        Some(ResultState::TimedOut) => ("CANCELED", "CLIENT_ERROR"),
        Some(ResultState::Failed) => ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
        None if life_cycle == LifeCycle::Skipped => ("SKIPPED", "SUCCESS"),
        None => ("INTERNAL_ERROR", "INTERNAL_ERROR"),
    }
}
