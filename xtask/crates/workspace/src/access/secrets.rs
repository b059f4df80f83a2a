//! Secret scopes: the creator manages a scope and grants permissions to others.

use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::App;

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
pub(crate) fn secret_scope(
    app: &App,
    caller: &Caller,
    scope: &str,
    needed: Permission,
) -> Result<(), ApiError> {
    if !app.store.has_secret_scope(scope)? {
        return Err(ApiError::not_found(format!(
            "Scope {scope} does not exist!"
        )));
    }
    if caller.is_admin() {
        return Ok(());
    }
    let given = app.store.secret_acls(scope)?;
    let own = given
        .iter()
        .filter(|(principal, _)| principal == caller.name() || caller.is_in(principal))
        .filter_map(|(_, permission)| Permission::parse(permission));
    if own.max().is_some_and(|permission| permission >= needed) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "{} does not have {} permission on scope {scope}",
        caller.name(),
        needed.as_str()
    )))
}
