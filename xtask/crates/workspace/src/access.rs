//! What an identity may do. Admins, such as the workspace's own user, may do everything; for others, the permissions of
//! jobs, folders and experiments and the grants of Unity Catalog decide. Refusals use Databricks' words.
//!
//! MLflow runs and their artifacts are open to every identity, and so is everything that notebooks reach by file calls.

mod catalog;
mod files;
mod jobs;
mod secrets;

pub(crate) use catalog::{Model, require as require_privilege, require_owner, seen, sees};
pub(crate) use files::{Right, path, readable};
pub(crate) use jobs::{Act, job, run, visible_jobs, visible_runs};
pub(crate) use secrets::{Permission, secret_scope};

use serde_json::Value;

use crate::call::Call;
use crate::caller::Caller;
use crate::error::ApiError;

/// Whether an entry of an access control list names this identity or one of its groups.
fn concerns(entry: &Value, caller: &Caller) -> bool {
    let named = ["user_name", "service_principal_name"]
        .iter()
        .any(|field| entry[*field] == caller.name());
    named
        || entry["group_name"]
            .as_str()
            .is_some_and(|group| caller.is_in(group))
}

/// Requires that the caller owns or manages an object with a permission list, such as an experiment.
pub(crate) fn manage(
    call: &Call,
    kind: &str,
    id: &str,
    owner: Option<&str>,
) -> Result<(), ApiError> {
    if call.caller.is_admin() || owner == Some(call.caller.name()) {
        return Ok(());
    }
    let acl = call.store.acl(kind, id)?.unwrap_or_default();
    let manages = |entry: &Value| {
        concerns(entry, &call.caller)
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
        call.caller.name()
    )))
}
