//! Jobs and lists in the words of the API.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::jobs;
use crate::state::App;
use crate::store::Job;

/// A job with all its settings.
pub(super) fn job(app: &App, job: &Job) -> Result<Value, ApiError> {
    Ok(json!({
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": jobs::run_as(app, job)?,
        "created_time": job.created_time,
        "settings": job.settings,
    }))
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
