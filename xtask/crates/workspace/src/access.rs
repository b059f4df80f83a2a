//! What an identity may do. Admins (the workspace's own user is one) may do everything; the others what the
//! permissions of a job, folder or experiment and the grants of Unity Catalog say, refused in Databricks' words.
//!
//! MLflow's runs and their artifacts are open to every identity, and so is what notebooks reach by file calls.

mod catalog;
mod files;
mod jobs;
mod secrets;

pub(crate) use catalog::{Model, require as require_privilege, require_owner, seen, sees};
pub(crate) use files::{Right, path, readable};
pub(crate) use jobs::{Act, job, run, visible_jobs, visible_runs};
pub(crate) use secrets::{Permission, secret_scope};

use serde_json::Value;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::App;

/// Whether an entry of an access control list is about this identity, by name or by group.
fn concerns(entry: &Value, caller: &Caller) -> bool {
    let named = ["user_name", "service_principal_name"]
        .iter()
        .any(|field| entry[*field] == caller.name());
    named
        || entry["group_name"]
            .as_str()
            .is_some_and(|group| caller.is_in(group))
}

/// Refuses to manage an object that keeps a list, such as an experiment, to whoever neither owns nor manages it.
pub(crate) fn manage(
    app: &App,
    caller: &Caller,
    kind: &str,
    id: &str,
    owner: Option<&str>,
) -> Result<(), ApiError> {
    if caller.is_admin() || owner == Some(caller.name()) {
        return Ok(());
    }
    let acl = app.store.acl(kind, id)?.unwrap_or_default();
    let manages = |entry: &Value| {
        concerns(entry, caller)
            && matches!(
                entry["permission_level"].as_str(),
                Some("CAN_MANAGE" | "IS_OWNER")
            )
    };
    if acl.iter().any(manages) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "{} does not have Manage permissions on {kind} {id}. Please contact the owner or an administrator for access.",
        caller.name()
    )))
}
