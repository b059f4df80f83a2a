//! `jobs/run-now`: stores a run with its tasks and hands it to the runner, or queues it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{find, settings};
use crate::error::ApiError;
use crate::routes::extract::JsonBody;
use crate::runner;
use crate::state::App;
use crate::store::{Job, LifeCycle, NewRun, NewTask, ResultState, Run, RunState, StoreError};

/// How often a queued run looks whether it may begin.
const QUEUE_POLL: Duration = Duration::from_millis(200);
/// Parameters of kinds of tasks that a local workspace does not run.
const FOREIGN_PARAMETERS: &[&str] = &[
    "dbt_commands",
    "jar_params",
    "pipeline_params",
    "python_named_params",
    "python_params",
    "spark_submit_params",
    "sql_params",
];

/// Body of `jobs/run-now`.
#[derive(Deserialize)]
pub(super) struct RunNow {
    job_id: i64,
    idempotency_token: Option<String>,
    #[serde(default)]
    job_parameters: BTreeMap<String, String>,
    #[serde(default)]
    notebook_params: BTreeMap<String, String>,
    #[serde(default)]
    only: Vec<String>,
    queue: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

pub(super) async fn run_now(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RunNow>,
) -> Result<Json<Value>, ApiError> {
    let job = find(&app, body.job_id)?;
    let is_set =
        |value: &Value| !matches!(value, Value::Null) && value != &json!([]) && value != &json!({});
    if let Some(name) = FOREIGN_PARAMETERS
        .iter()
        .find(|name| body.rest.get(**name).is_some_and(is_set))
    {
        return Err(ApiError::invalid(format!(
            "{name}: the local workspace runs notebook_task only"
        )));
    }
    if app.is_stopping() {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "INVALID_STATE",
            "the workspace is ending; start it again first",
        ));
    }
    let (state, limit) = first_state(&app, &job, body.queue.as_ref())?;
    let new = NewRun {
        job_id: job.job_id,
        run_name: job.settings["name"].as_str().unwrap_or_default().to_owned(),
        idempotency_token: body.idempotency_token.filter(|token| !token.is_empty()),
        creator: app.identity.user_name.clone(),
        parameters: parameters(&job, &body.job_parameters)?,
        overrides: json!({"notebook_params": body.notebook_params, "only": body.only}),
        tasks: tasks(&job, &body.only, &state)?,
        state,
        settings: job.settings,
    };
    let (run, is_new) = app.store.create_run(&new)?;
    if is_new {
        match run.state.life_cycle {
            LifeCycle::Queued => drop(tokio::spawn(wait_in_queue(app.clone(), run.run_id, limit))),
            LifeCycle::Pending => runner::start(app.clone(), run.run_id),
            _ => {}
        }
    }
    Ok(Json(
        json!({"run_id": run.run_id, "number_in_job": run.number_in_job}),
    ))
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
fn parameters(
    job: &Job,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let declared = job.settings["parameters"].as_array().into_iter().flatten();
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

/// The tasks of the run; those that `only` leaves out are disabled from the start.
fn tasks(job: &Job, only: &[String], run: &RunState) -> Result<Vec<NewTask>, ApiError> {
    let all = job.settings["tasks"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let chosen = choose(all, only)?;
    let task = |task: &Value| {
        let key = task["task_key"].as_str().unwrap_or_default();
        let waits = task["depends_on"]
            .as_array()
            .is_some_and(|needs| !needs.is_empty());
        let state = match (run.life_cycle.has_ended(), chosen.contains(key), waits) {
            (true, _, _) => run.clone(),
            (false, false, _) => RunState::ended(
                LifeCycle::Skipped,
                ResultState::Disabled,
                "the caller did not choose this task",
            ),
            (false, true, true) => RunState::active(LifeCycle::Blocked),
            (false, true, false) => RunState::active(LifeCycle::Pending),
        };
        NewTask {
            task_key: key.to_owned(),
            settings: task.clone(),
            state,
        }
    };
    Ok(all.iter().map(task).collect())
}

/// The keys that `only` selects: `a` that task, `+a` also what it depends on, `a+` also what depends on it.
fn choose<'t>(tasks: &'t [Value], only: &[String]) -> Result<BTreeSet<&'t str>, ApiError> {
    let graph = settings::dependencies(tasks);
    if only.is_empty() {
        return Ok(graph.into_keys().collect());
    }
    let mut chosen = BTreeSet::new();
    for pattern in only {
        let name = pattern.trim_matches('+');
        let Some((&key, _)) = graph.get_key_value(name) else {
            return Err(ApiError::invalid(format!(
                "only: '{name}' is not a task of the job"
            )));
        };
        let mut found = BTreeSet::from([key]);
        if pattern.starts_with('+') {
            grow(&mut found, |found| {
                graph
                    .iter()
                    .filter(|(key, _)| found.contains(*key))
                    .flat_map(|(_, n)| n.clone())
                    .collect()
            });
        }
        let mut below = BTreeSet::from([key]);
        if pattern.ends_with('+') {
            grow(&mut below, |below| {
                graph
                    .iter()
                    .filter(|(_, needs)| needs.iter().any(|n| below.contains(n)))
                    .map(|(key, _)| *key)
                    .collect()
            });
        }
        chosen.extend(found);
        chosen.extend(below);
    }
    Ok(chosen)
}

/// Adds what `next` finds until it finds nothing new.
fn grow<'t>(set: &mut BTreeSet<&'t str>, next: impl Fn(&BTreeSet<&'t str>) -> Vec<&'t str>) {
    let mut size = 0;
    while size < set.len() {
        size = set.len();
        let found = next(set);
        set.extend(found);
    }
}

/// Starts a queued run once fewer than `limit` runs of its job are active.
async fn wait_in_queue(app: Arc<App>, run_id: i64, limit: i64) {
    while !app.is_stopping() {
        tokio::time::sleep(QUEUE_POLL).await;
        match advance(&app, run_id, limit) {
            Ok(Queue::Waits) => {}
            Ok(Queue::Starts) => return runner::start(app, run_id),
            Ok(Queue::Left) => return,
            Err(error) => tracing::error!(run_id, %error, "cannot look at the queue"),
        }
    }
}

enum Queue {
    Waits,
    Starts,
    Left,
}

fn advance(app: &App, run_id: i64, limit: i64) -> Result<Queue, StoreError> {
    if app.store.leave_queue(run_id, limit)? {
        return Ok(Queue::Starts);
    }
    let waits = app
        .store
        .run(run_id)?
        .is_some_and(|run| run.state.life_cycle == LifeCycle::Queued);
    Ok(if waits { Queue::Waits } else { Queue::Left })
}

/// Ends a run that waits in the queue; `false` if it does not wait there.
pub(super) fn cancel_queued(app: &App, run: &Run) -> Result<bool, ApiError> {
    let state = RunState::ended(
        LifeCycle::Terminated,
        ResultState::Canceled,
        "cancelled while it was queued",
    );
    Ok(app.store.cancel_queued(run.run_id, &state)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_selects_tasks_with_their_upstream_or_downstream() {
        let task = |key: &str, needs: &[&str]| json!({"task_key": key, "depends_on": needs.iter().map(|n| json!({"task_key": n})).collect::<Vec<_>>()});
        let tasks = [
            task("a", &[]),
            task("b", &["a"]),
            task("c", &["b"]),
            task("d", &["b"]),
        ];
        for (only, expected) in [
            (vec![], vec!["a", "b", "c", "d"]),
            (vec!["b"], vec!["b"]),
            (vec!["+c"], vec!["a", "b", "c"]),
            (vec!["b+"], vec!["b", "c", "d"]),
            (vec!["+b+"], vec!["a", "b", "c", "d"]),
            (vec!["a", "d"], vec!["a", "d"]),
        ] {
            let only: Vec<String> = only.into_iter().map(str::to_owned).collect();
            assert_eq!(
                choose(&tasks, &only)
                    .unwrap()
                    .into_iter()
                    .collect::<Vec<_>>(),
                expected,
                "{only:?}"
            );
        }
        assert!(
            choose(&tasks, &["x".to_owned()])
                .unwrap_err()
                .message
                .contains("'x'")
        );
    }
}
