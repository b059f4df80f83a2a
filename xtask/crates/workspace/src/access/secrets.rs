//! Secret scopes: whoever made one manages it, and gives others their permission.

use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::App;

/// What somebody may do with a scope; each contains the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Permission {
    /// Read its secrets.
    Read,
    /// Write them.
    Write,
    /// Say who may do what, and delete it.
    Manage,
}

impl Permission {
    /// As the API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Permission::Read => "READ",
            Permission::Write => "WRITE",
            Permission::Manage => "MANAGE",
        }
    }

    /// Reads the API's word.
    pub(crate) fn parse(text: &str) -> Option<Permission> {
        [Permission::Read, Permission::Write, Permission::Manage]
            .into_iter()
            .find(|permission| permission.as_str() == text)
    }
}

/// Refuses a scope that does not exist, and one that the caller may not use so.
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
