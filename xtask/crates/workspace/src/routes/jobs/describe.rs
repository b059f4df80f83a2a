//! Jobs and lists in the API's format.

use serde_json::{Value, json};

use super::TASKS_PER_PAGE;
use crate::error::ApiError;
use crate::runner;
use crate::state::App;
use crate::store::Job;

pub(super) fn job(app: &App, job: &Job) -> Result<Value, ApiError> {
    Ok(json!({
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": runner::run_as(app, job)?,
        "created_time": job.created_time,
        "settings": job.settings.json(),
    }))
}

/// Without tasks, unless they are requested; then with the first page of them.
pub(super) fn listed_job(job: &Job, expand_tasks: bool) -> Value {
    let mut settings = job.settings.json().clone();
    let tasks = settings["tasks"].as_array_mut();
    let has_more = tasks.is_some_and(|tasks| {
        let more = tasks.len() > TASKS_PER_PAGE;
        tasks.truncate(TASKS_PER_PAGE);
        more
    });
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
        "has_more": has_more && expand_tasks,
    })
}

/// One page of a list, with the tokens of its neighbours.
pub(super) fn page(name: &str, items: Vec<Value>, more: bool, offset: u32, limit: u32) -> Value {
    let mut body = json!({"has_more": more});
    if !items.is_empty() {
        body[name] = items.into();
    }
    if more {
        body["next_page_token"] = (offset + limit).to_string().into();
    }
    if offset > 0 {
        body["prev_page_token"] = offset.saturating_sub(limit).to_string().into();
    }
    body
}

/// Adds the tokens of the neighbouring pages of tasks.
pub(super) fn pages(body: &mut Value, offset: usize, size: usize, total: usize) {
    if offset + size < total {
        body["has_more"] = true.into();
        body["next_page_token"] = (offset + size).to_string().into();
    }
    if offset > 0 {
        body["prev_page_token"] = offset.saturating_sub(size).to_string().into();
    }
}

pub(super) fn limit(given: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    match given.unwrap_or(0) {
        0 => Ok(default),
        limit if limit <= most => Ok(limit),
        limit => Err(ApiError::invalid(format!(
            "Invalid limit {limit} - it has to be no more than {most}."
        ))),
    }
}

/// Our page tokens are offsets.
pub(super) fn offset(page_token: Option<&str>) -> Result<u32, ApiError> {
    match page_token {
        None | Some("") => Ok(0),
        Some(token) => token
            .parse()
            .map_err(|_| ApiError::invalid("invalid page_token")),
    }
}
