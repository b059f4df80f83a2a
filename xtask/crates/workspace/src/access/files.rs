//! The workspace tree: every home folder belongs to its user, `/Shared` is open to all, and the permissions of a folder
//! hold for everything in it.

use serde_json::Value;

use super::catalog::require;
use super::concerns;
use crate::call::Call;
use crate::error::ApiError;
use crate::files::{RelativePath, WorkspacePath};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Read,
    /// Also to create and delete.
    Write,
}

pub(crate) fn path(call: &Call, path: &WorkspacePath, right: Right) -> Result<(), ApiError> {
    if call.caller.is_admin() {
        return Ok(());
    }
    let key = path.key();
    let home = format!("/Users/{}", call.caller.name());
    // The folders above the user's home folder can be read and not written.
    let passes = right == Right::Read && matches!(key.as_str(), "/" | "/Users");
    if passes || [&home, "/Shared"].iter().any(|root| lies_in(&key, root)) {
        return Ok(());
    }
    let mut at = Some(path.clone());
    while let Some(place) = at {
        if allows(call, &place.key(), right)? {
            return Ok(());
        }
        at = place.parent();
    }
    let level = if right == Right::Read { "View" } else { "Edit" };
    Err(ApiError::forbidden(format!(
        "User {} does not have {level} permissions on {path}.",
        call.caller.name()
    )))
}

/// Refuses a file of a task, in the workspace tree or a volume, that the caller may not read.
pub(crate) fn readable(call: &Call, file: &str) -> Result<(), ApiError> {
    let all = RelativePath::parse(file)?;
    let names: Vec<&str> = all.segments().collect();
    match names.as_slice() {
        ["Volumes", catalog, schema, volume, ..] => {
            let name = format!("{catalog}.{schema}.{volume}").to_lowercase();
            require(call, "READ_VOLUME", "volume", &name)
        }
        _ => path(
            call,
            &WorkspacePath::parse(&format!("/{}", all.as_str()))?,
            Right::Read,
        ),
    }
}

fn lies_in(key: &str, root: &str) -> bool {
    key.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the permissions set on exactly this path allow it.
fn allows(call: &Call, key: &str, right: Right) -> Result<bool, ApiError> {
    let Some(row) = call.store.object(key)? else {
        return Ok(false);
    };
    let enough = |entry: &Value| match entry["permission_level"].as_str() {
        Some("CAN_EDIT" | "CAN_MANAGE") => true,
        Some("CAN_READ" | "CAN_RUN") => right == Right::Read,
        _ => false,
    };
    for kind in ["directories", "notebooks", "files"] {
        let acl = call.store.acl(kind, &row.object_id.to_string())?;
        if acl
            .iter()
            .flatten()
            .any(|entry| concerns(entry, &call.caller) && enough(entry))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
