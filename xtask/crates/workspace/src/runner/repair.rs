//! `runs/repair`: new attempts of some tasks of an ended run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use xtask_local_server::lock;

use super::start::{Parameters, ending, parameters};
use super::{queue, run_as};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{RepairPlan, ResultState, Run, TaskRun};

#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    latest_repair_id: Option<i64>,
    #[serde(default)]
    rerun_tasks: Vec<String>,
    #[serde(default)]
    rerun_all_failed_tasks: bool,
    #[serde(default)]
    rerun_dependent_tasks: bool,
    #[serde(flatten)]
    parameters: Parameters,
}

/// Answers the repair's id.
pub(crate) fn repair(app: &Arc<App>, run: &Run, request: Request) -> Result<i64, ApiError> {
    if app.stop.is_requested() {
        return Err(ending());
    }
    run_as::check_known(app, &run.run_as)?;
    check_latest(app, run, request.latest_repair_id)?;
    let tasks = newest(app.store.task_runs(run.run_id)?);
    let again = chosen(&tasks, &request)?;
    let plan = RepairPlan {
        run_id: run.run_id,
        again: tasks
            .values()
            .filter(|task| again.contains(task.task_key.as_str()))
            .map(|task| task.run_id)
            .collect(),
        parameters: new_parameters(run, &request)?,
        overrides: new_overrides(run, &request),
    };
    let admission = lock(&app.runner.admission);
    let state = queue::first_state(app, run.job_id, &run.settings, None)?;
    let repair_id = app.store.repair_run(&plan, &state)?.ok_or_else(active)?;
    drop(admission);
    let run = Run {
        state,
        ..run.clone()
    };
    queue::hand_over(app, &run);
    Ok(repair_id)
}

fn active() -> ApiError {
    ApiError::invalid("Cannot repair an active run: cancel it or wait for its end")
}

/// A further repair must name the latest one, so that two people do not repair a run without knowing of each other.
fn check_latest(app: &App, run: &Run, given: Option<i64>) -> Result<(), ApiError> {
    if run.end_time.is_none() {
        return Err(active());
    }
    let known = app
        .store
        .repairs(run.run_id)?
        .last()
        .map(|last| last.repair_id);
    if known == given.filter(|id| *id != 0) {
        return Ok(());
    }
    Err(ApiError::invalid(match known {
        Some(id) => format!("latest_repair_id must be {id}, the id of the run's latest repair"),
        None => "latest_repair_id must be omitted: the run has not been repaired yet".to_owned(),
    }))
}

fn newest(tasks: Vec<TaskRun>) -> BTreeMap<String, TaskRun> {
    let keyed = tasks.into_iter().map(|task| (task.task_key.clone(), task));
    keyed.collect()
}

fn chosen<'t>(
    tasks: &'t BTreeMap<String, TaskRun>,
    request: &Request,
) -> Result<BTreeSet<&'t str>, ApiError> {
    let mut again: BTreeSet<&str> = match (
        request.rerun_tasks.is_empty(),
        request.rerun_all_failed_tasks,
    ) {
        (false, true) => {
            return Err(ApiError::invalid(
                "rerun_tasks and rerun_all_failed_tasks exclude each other",
            ));
        }
        (true, false) => {
            return Err(ApiError::invalid(
                "set rerun_tasks or rerun_all_failed_tasks",
            ));
        }
        (true, true) => tasks
            .values()
            .filter(|task| has_failed(task))
            .map(|task| task.task_key.as_str())
            .collect(),
        (false, false) => BTreeSet::new(),
    };
    for name in &request.rerun_tasks {
        let Some((key, _)) = tasks.get_key_value(name) else {
            return Err(ApiError::invalid(format!(
                "rerun_tasks: '{name}' is not a task of the run"
            )));
        };
        again.insert(key);
    }
    if again.is_empty() {
        return Err(ApiError::invalid(
            "no task of this run has failed: list tasks in rerun_tasks",
        ));
    }
    if request.rerun_dependent_tasks {
        add_dependents(tasks, &mut again);
    }
    Ok(again)
}

/// Failed, or not run because of a failure.
fn has_failed(task: &TaskRun) -> bool {
    use ResultState::{Canceled, Failed, TimedOut, UpstreamCanceled, UpstreamFailed};
    matches!(
        task.state.result,
        Some(Failed | TimedOut | Canceled | UpstreamFailed | UpstreamCanceled)
    )
}

fn add_dependents<'t>(tasks: &'t BTreeMap<String, TaskRun>, again: &mut BTreeSet<&'t str>) {
    let mut size = 0;
    while size < again.len() {
        size = again.len();
        for task in tasks.values() {
            if task.settings.needs().any(|need| again.contains(need)) {
                again.insert(&task.task_key);
            }
        }
    }
}

fn new_parameters(run: &Run, request: &Request) -> Result<BTreeMap<String, String>, ApiError> {
    // Validates the names; other parameters keep their values.
    parameters(&run.settings, &request.parameters.job_parameters)?;
    let mut values = run.parameters.clone();
    values.extend(request.parameters.job_parameters.clone());
    Ok(values)
}

fn new_overrides(run: &Run, request: &Request) -> serde_json::Value {
    let mut overrides = run.overrides.clone();
    if !request.parameters.notebook_params.is_empty() {
        overrides["notebook_params"] = json!(request.parameters.notebook_params);
    }
    if !request.parameters.python_params.is_empty() {
        overrides["python_params"] = json!(request.parameters.python_params);
    }
    if !request.parameters.python_named_params.is_empty() {
        overrides["python_named_params"] = json!(request.parameters.python_named_params);
    }
    overrides
}
