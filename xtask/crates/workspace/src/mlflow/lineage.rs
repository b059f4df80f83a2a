//! Links tasks to the MLflow runs that they create, as events of the task.

use std::io::Write as _;

use serde_json::{Value, json};
use xtask_local_server::now_ms;

use crate::call::Call;
use crate::caller::{Caller, Credential};

/// Set by MLflow's client inside a task: the id of the task run.
pub(crate) const TASK_RUN_TAG: &str = "mlflow.databricks.jobRunID";

const USER_TAG: &str = "mlflow.user";

/// Makes the caller the user of the run in a `runs/create`, whatever the client detected.
pub(super) fn of_user(caller: &Caller, mut request: Value) -> Value {
    let Some(fields) = request.as_object_mut() else {
        return request;
    };
    fields.insert("user_id".to_owned(), caller.name().into());
    let tags = fields.entry("tags").or_insert_with(|| json!([]));
    if let Some(tags) = tags.as_array_mut() {
        tags.retain(|tag| tag["key"] != USER_TAG);
        tags.push(json!({"key": USER_TAG, "value": caller.name()}));
    }
    request
}

/// Appends an event `mlflow_run` for a run that a running task created. Only the code of the task's job run, or an
/// admin, can cause it.
pub(super) fn note_run(call: &Call, request: &Value, reply: &Value) {
    let Some(task_run_id) = task_run_of(request) else {
        return;
    };
    let info = &reply["run"]["info"];
    let (Some(run), Some(experiment)) = (info["run_id"].as_str(), info["experiment_id"].as_str())
    else {
        return;
    };
    match call.store.task_run(task_run_id) {
        Ok(Some(task)) if task.end_time.is_none() && may_note(&call.caller, task.job_run_id) => {}
        _ => return,
    }
    let event = json!({"v": 1, "t": now_ms(), "event": "mlflow_run", "run_id": run, "experiment_id": experiment});
    // One write to a file opened for appending lands between two lines of the kernel.
    let path = call.task_run_dir(task_run_id).join("events.jsonl");
    let appended = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{event}\n").as_bytes()));
    if let Err(error) = appended {
        tracing::warn!(%error, %path, "cannot note an MLflow run");
    }
}

fn may_note(caller: &Caller, run_id: i64) -> bool {
    caller.by == Credential::Run { job_run_id: run_id } || caller.is_admin()
}

fn task_run_of(request: &Value) -> Option<i64> {
    let tags = request["tags"].as_array()?;
    let tag = tags.iter().find(|tag| tag["key"] == TASK_RUN_TAG)?;
    tag["value"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_run_is_read_from_databricks_tag() {
        let request =
            json!({"tags": [{"key": "a", "value": "1"}, {"key": TASK_RUN_TAG, "value": "42"}]});
        assert_eq!(task_run_of(&request), Some(42));
        assert_eq!(task_run_of(&json!({"tags": []})), None);
    }
}
