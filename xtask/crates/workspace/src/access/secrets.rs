//! Secret scopes: the creator manages a scope and grants permissions to others.

use crate::call::Call;
use crate::error::ApiError;

/// In ascending order; each includes the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Permission {
    Read,
    Write,
    /// Change permissions, and delete the scope.
    Manage,
}

impl Permission {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Permission::Read => "READ",
            Permission::Write => "WRITE",
            Permission::Manage => "MANAGE",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Permission> {
        [Permission::Read, Permission::Write, Permission::Manage]
            .into_iter()
            .find(|permission| permission.as_str() == text)
    }
}

/// Refuses a scope that does not exist, or that the caller has no such permission for.
pub(crate) fn secret_scope(call: &Call, scope: &str, needed: Permission) -> Result<(), ApiError> {
    if !call.store.has_secret_scope(scope)? {
        return Err(ApiError::not_found(format!(
            "Scope {scope} does not exist!"
        )));
    }
    if call.caller.is_admin() {
        return Ok(());
    }
    let given = call.store.secret_acls(scope)?;
    let own = given
        .iter()
        .filter(|(principal, _)| principal == call.caller.name() || call.caller.is_in(principal))
        .filter_map(|(_, permission)| Permission::parse(permission));
    if own.max().is_some_and(|permission| permission >= needed) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "{} does not have {} permission on scope {scope}",
        call.caller.name(),
        needed.as_str()
    )))
}
