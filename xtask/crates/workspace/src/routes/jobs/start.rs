//! `jobs/run-now`, `runs/submit` and `runs/repair`.

use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::find;
use super::runs::find_run;
use crate::access::Act;
use crate::call::{Call, JsonBody, Reply};
use crate::caller::Credential;
use crate::error::ApiError;
use crate::jobs::checked;
use crate::runner::start::{Request, run_job, run_once};
use crate::runner::{check_run_as, repair as repairs};
use crate::store::RunType;

/// Parameters of tasks that do not run here.
const FOREIGN_PARAMETERS: &[&str] = &[
    "dbt_commands",
    "jar_params",
    "pipeline_params",
    "spark_submit_params",
    "sql_params",
];

#[derive(Deserialize)]
pub(super) struct RunNow {
    job_id: i64,
    #[serde(flatten)]
    request: Request,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

pub(super) async fn run_now(call: Call, JsonBody(mut body): JsonBody<RunNow>) -> Reply {
    let job = find(&call, body.job_id, Act::Run)?;
    refuse_foreign_parameters(&body.rest)?;
    call.caller.name().clone_into(&mut body.request.creator);
    let run = run_job(&call.app, job, body.request)?;
    Ok(Json(
        json!({"run_id": run.run_id, "number_in_job": run.number_in_job}),
    ))
}

fn refuse_foreign_parameters(given: &Map<String, Value>) -> Result<(), ApiError> {
    let is_set =
        |value: &Value| !matches!(value, Value::Null) && value != &json!([]) && value != &json!({});
    match FOREIGN_PARAMETERS
        .iter()
        .find(|name| given.get(**name).is_some_and(is_set))
    {
        None => Ok(()),
        Some(name) => Err(ApiError::invalid(format!(
            "{name}: no task of the local workspace accepts them"
        ))),
    }
}

/// Runs tasks without a job; `dbutils.notebook.run` uses it, too.
pub(super) async fn submit(call: Call, JsonBody(mut body): JsonBody<Map<String, Value>>) -> Reply {
    let token = match body.remove("idempotency_token") {
        Some(Value::String(token)) => Some(token),
        _ => None,
    };
    let name = body.remove("run_name").unwrap_or(json!("Untitled"));
    body.insert("name".to_owned(), name);
    body.remove("access_control_list");
    if body
        .get("tasks")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        return Err(ApiError::invalid("a run needs tasks"));
    }
    let run_type = match body.remove("run_type") {
        Some(kind) if kind == "WORKFLOW_RUN" => RunType::WorkflowRun,
        _ => RunType::SubmitRun,
    };
    let parent = match call.caller.by {
        // A run ends the runs that it started.
        Credential::Run { job_run_id } if run_type == RunType::WorkflowRun => Some(job_run_id),
        _ => None,
    };
    let settings = checked(body)?;
    check_run_as(&call.caller, &settings.run_as)?;
    let run = run_once(
        &call.app,
        settings,
        call.caller.name(),
        run_type,
        token,
        parent,
    )?;
    Ok(Json(json!({"run_id": run.run_id})))
}

#[derive(Deserialize)]
pub(super) struct Repair {
    run_id: i64,
    #[serde(flatten)]
    request: repairs::Request,
}

pub(super) async fn repair(call: Call, JsonBody(body): JsonBody<Repair>) -> Reply {
    let run = find_run(&call, body.run_id, Act::Run)?;
    let repair_id = repairs::repair(&call.app, &run, body.request)?;
    Ok(Json(json!({"repair_id": repair_id})))
}
