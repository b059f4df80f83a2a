//! The identity that a job's code acts as.

use crate::caller::Caller;
use crate::error::ApiError;
use crate::jobs::RunAs;
use crate::state::App;
use crate::store::Job;

/// `run_as` of the job, else its owner, who is the creator by default.
pub(crate) fn run_as(app: &App, job: &Job) -> Result<String, ApiError> {
    if let Some(name) = job.settings.run_as.name() {
        return Ok(name.to_owned());
    }
    let acl = app.store.acl("jobs", &job.job_id.to_string())?;
    let owner = acl.iter().flatten().find_map(|entry| {
        let name = entry["user_name"].as_str();
        let name = name.or(entry["service_principal_name"].as_str())?;
        (entry["permission_level"] == "IS_OWNER").then(|| name.to_owned())
    });
    Ok(owner.unwrap_or_else(|| job.creator.clone()))
}

/// Refuses an unknown or inactive identity.
pub(super) fn check_known(app: &App, name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name == app.identity.user_name {
        return Ok(());
    }
    match app.store.principal_by_name(name)? {
        Some(principal) if principal.active => Ok(()),
        Some(_) => Err(ApiError::invalid(format!(
            "The run acts as '{name}', which is not active."
        ))),
        None => Err(ApiError::invalid(format!(
            "The run acts as '{name}', which does not exist in this workspace; \
             `cargo xtask workspace principal NAME` makes a service principal"
        ))),
    }
}

/// Only admins may set another identity than their own.
pub(crate) fn check_settings(caller: &Caller, run_as: &RunAs) -> Result<(), ApiError> {
    match run_as.name() {
        Some(name) if name != caller.name() && !caller.is_admin() => Err(ApiError::forbidden(
            format!("{} may not set run_as to '{name}'.", caller.name()),
        )),
        _ => Ok(()),
    }
}
