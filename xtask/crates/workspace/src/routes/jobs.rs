//! The Jobs API.

mod describe;
mod describe_run;
mod runs;
mod start;
mod update;

use std::sync::Arc;

use axum::Json;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::{self, Act};
use crate::call::{Call, JsonBody, QueryString, Reply, Routes};
use crate::error::ApiError;
use crate::jobs::{Declared, JobSettings, checked};
use crate::runner::{cancel, check_run_as};
use crate::state::App;
use crate::store::{Job, LifeCycle, RunFilter};

/// Tasks in one reply of `jobs/get` or `runs/get`.
const TASKS_PER_PAGE: usize = 100;

pub(super) fn router() -> Routes {
    let mut router = Routes::new();
    for version in ["2.1", "2.2"] {
        let path = |name: &str| format!("/api/{version}/jobs/{name}");
        router = router
            .route(&path("create"), post(create))
            .route(&path("reset"), post(reset))
            .route(&path("update"), post(update::update))
            .route(&path("get"), get(get_job))
            .route(&path("list"), get(list))
            .route(&path("delete"), post(delete))
            .route(&path("run-now"), post(start::run_now))
            .route(&path("runs/submit"), post(start::submit))
            .route(&path("runs/repair"), post(start::repair))
            .route(&path("runs/delete"), post(runs::delete))
            .route(&path("runs/export"), get(runs::export))
            .route(&path("runs/get"), get(runs::get_run))
            .route(&path("runs/get-output"), get(runs::get_output))
            .route(&path("runs/list"), get(runs::list))
            .route(&path("runs/cancel"), post(runs::cancel))
            .route(&path("runs/cancel-all"), post(runs::cancel_all));
    }
    router
}

async fn create(call: Call, JsonBody(mut settings): JsonBody<Map<String, Value>>) -> Reply {
    // On Databricks it is not part of the settings; clients change it by PUT permissions.
    let acl = settings.remove("access_control_list");
    let settings = checked(settings)?;
    check_run_as(&call.caller, &settings.run_as)?;
    let job_id = call.store.create_job(&settings, call.caller.name())?;
    if let Some(Value::Array(entries)) = acl {
        call.store.set_acl("jobs", &job_id.to_string(), &entries)?;
    }
    Ok(Json(json!({"job_id": job_id})))
}

#[derive(Deserialize)]
struct Reset {
    job_id: i64,
    new_settings: Map<String, Value>,
}

/// Replaces all settings; an omitted `run_as` is kept.
async fn reset(call: Call, JsonBody(body): JsonBody<Reset>) -> Reply {
    let job = find(&call, body.job_id, Act::Change)?;
    let mut settings = body.new_settings;
    check_run_as(
        &call.caller,
        &Declared::<JobSettings>::parse(json!(settings))?.run_as,
    )?;
    if let Some(run_as) = job.settings.json().get("run_as") {
        settings.entry("run_as").or_insert(run_as.clone());
    }
    call.store.replace_job(body.job_id, &checked(settings)?)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct GetJob {
    job_id: i64,
    page_token: Option<String>,
}

async fn get_job(call: Call, QueryString(query): QueryString<GetJob>) -> Reply {
    let job = find(&call, query.job_id, Act::View)?;
    let mut body = describe::job(&call, &job)?;
    let offset = describe::offset(query.page_token.as_deref())? as usize;
    let Some(tasks) = body["settings"]["tasks"].as_array_mut() else {
        return Ok(Json(body));
    };
    let total = tasks.len();
    tasks.drain(..offset.min(total));
    tasks.truncate(TASKS_PER_PAGE);
    describe::pages(&mut body, offset, TASKS_PER_PAGE, total);
    Ok(Json(body))
}

#[derive(Deserialize)]
struct ListJobs {
    name: Option<String>,
    #[serde(default)]
    expand_tasks: bool,
    limit: Option<u32>,
    offset: Option<u32>,
    page_token: Option<String>,
}

async fn list(call: Call, QueryString(query): QueryString<ListJobs>) -> Reply {
    let limit = describe::limit(query.limit, 20, 100)?;
    let offset = describe::offset(query.page_token.as_deref())?.max(query.offset.unwrap_or(0));
    let mut jobs = access::visible_jobs(&call, query.name.as_deref(), limit + 1, offset)?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let bodies: Vec<Value> = jobs
        .iter()
        .map(|job| describe::listed_job(job, query.expand_tasks))
        .collect();
    Ok(Json(describe::page("jobs", bodies, more, offset, limit)))
}

#[derive(Deserialize)]
struct JobId {
    job_id: i64,
}

/// Cancels active runs and keeps ended ones.
///
/// As on Databricks, the permissions stay: callers without permission get 403 as before, and not 404.
async fn delete(call: Call, JsonBody(body): JsonBody<JobId>) -> Reply {
    access::job(&call, body.job_id, Act::Delete)?;
    if !call.store.delete_job(body.job_id)? {
        return Err(absent(body.job_id));
    }
    cancel_runs(&call.app, Some(body.job_id), false)?;
    Ok(Json(json!({})))
}

/// Cancels the active runs of a job or of all jobs, or only the queued ones.
fn cancel_runs(app: &Arc<App>, job_id: Option<i64>, queued_only: bool) -> Result<(), ApiError> {
    let filter = RunFilter {
        job_id,
        active: Some(true),
        limit: u32::MAX,
        ..RunFilter::default()
    };
    for run in app.store.runs(&filter)? {
        if !queued_only || run.state.life_cycle == LifeCycle::Queued {
            cancel(app, &run)?;
        }
    }
    Ok(())
}

/// Also checks the caller's right.
fn find(call: &Call, job_id: i64, act: Act) -> Result<Job, ApiError> {
    access::job(call, job_id, act)?;
    call.store.job(job_id)?.ok_or_else(|| absent(job_id))
}

fn absent(job_id: i64) -> ApiError {
    ApiError::not_found(format!("Job {job_id} does not exist."))
}
