//! Unity Catalog: owners, and privileges, which hold for everything below the securable that they are granted on.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::call::Call;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::App;
use crate::store::Store;

/// A kind of securable, as the grants table spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Catalog,
    Schema,
    Volume,
    Model,
}

impl Kind {
    fn parse(text: &str) -> Kind {
        match text {
            "catalog" => Kind::Catalog,
            "schema" => Kind::Schema,
            "volume" => Kind::Volume,
            _ => Kind::Model,
        }
    }

    fn stored(self) -> &'static str {
        match self {
            Kind::Catalog => "catalog",
            Kind::Schema => "schema",
            Kind::Volume => "volume",
            Kind::Model => "function",
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Kind::Catalog => "Catalog",
            Kind::Schema => "Schema",
            Kind::Volume => "Volume",
            Kind::Model => "Routine or Model",
        }
    }
}

/// Checks of a caller's rights on a registered model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model<'a>(pub(crate) &'a str);

impl Model<'_> {
    pub(crate) fn require_execute(&self, call: &Call) -> Result<(), ApiError> {
        require(call, "EXECUTE", "function", self.0)
    }

    pub(crate) fn require_new_version(&self, call: &Call) -> Result<(), ApiError> {
        require(call, "CREATE_MODEL_VERSION", "function", self.0)
    }

    pub(crate) fn require_tag(&self, call: &Call) -> Result<(), ApiError> {
        require(call, "APPLY_TAG", "function", self.0)
    }

    /// For changes of aliases and description, and for deletion.
    pub(crate) fn require_owner(&self, call: &Call) -> Result<(), ApiError> {
        require_owner(call, "function", self.0)
    }
}

/// Requires this privilege on a securable, by grant or ownership, there or above, and the right to use its parents.
pub(crate) fn require(
    call: &Call,
    privilege: &str,
    kind: &str,
    full_name: &str,
) -> Result<(), ApiError> {
    if call.caller.is_admin() {
        return Ok(());
    }
    let chain = chain(Kind::parse(kind), full_name);
    for (kind, name) in chain.iter().skip(1).rev() {
        let usage = if *kind == Kind::Catalog {
            "USE_CATALOG"
        } else {
            "USE_SCHEMA"
        };
        if !holds(call, usage, *kind, name)? {
            return Err(lacks(usage, *kind, name));
        }
    }
    match chain.first() {
        Some((kind, name)) if !holds(call, privilege, *kind, name)? => {
            Err(lacks(privilege, *kind, name))
        }
        _ => Ok(()),
    }
}

/// Requires that the caller owns or manages a securable or one of its parents.
pub(crate) fn require_owner(call: &Call, kind: &str, full_name: &str) -> Result<(), ApiError> {
    let kind = Kind::parse(kind);
    if call.caller.is_admin() || holds(call, "MANAGE", kind, full_name)? {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "User is not an owner of {} '{full_name}'.",
        kind.shown()
    )))
}

/// Whether a list shows a securable to the caller: with any privilege on it, or as its owner.
pub(crate) fn sees(call: &Call, kind: &str, full_name: &str) -> Result<bool, ApiError> {
    Ok(call.caller.is_admin() || holds(call, "", Kind::parse(kind), full_name)?)
}

pub(crate) fn seen(call: &Call, kind: &str, bodies: Vec<Value>) -> Result<Vec<Value>, ApiError> {
    let mut seen = Vec::new();
    for body in bodies {
        if sees(call, kind, body["full_name"].as_str().unwrap_or_default())? {
            seen.push(body);
        }
    }
    Ok(seen)
}

fn lacks(privilege: &str, kind: Kind, name: &str) -> ApiError {
    ApiError::forbidden(format!(
        "User does not have {} on {} '{name}'.",
        privilege.replace('_', " "),
        kind.shown()
    ))
}

/// The securable, then its parents, up to the catalog.
fn chain(kind: Kind, full_name: &str) -> Vec<(Kind, String)> {
    let parts: Vec<&str> = full_name.split('.').collect();
    let mut chain = vec![(kind, full_name.to_owned())];
    if parts.len() > 2 {
        chain.push((Kind::Schema, parts[..2].join(".")));
    }
    if parts.len() > 1 {
        chain.push((Kind::Catalog, parts[0].to_owned()));
    }
    chain
}

/// Whether the caller owns the securable or one of its parents, or was granted the privilege there. An empty privilege
/// stands for any, on the securable itself.
fn holds(call: &Call, privilege: &str, kind: Kind, full_name: &str) -> Result<bool, ApiError> {
    for (kind, name) in chain(kind, full_name) {
        if owner(call, kind, &name)?
            .is_some_and(|owner| owner == call.caller.name() || call.caller.is_in(&owner))
        {
            return Ok(true);
        }
        for (principal, held) in call.store.grants(kind.stored(), &name)? {
            if is_about(&principal, &call.caller) && covers(&held, privilege) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn is_about(principal: &str, caller: &Caller) -> bool {
    principal == caller.name() || principal == Store::EVERYBODY || caller.is_in(principal)
}

fn covers(held: &BTreeSet<String>, privilege: &str) -> bool {
    // Older names of the same privileges; MANAGE is granted on its own only.
    let same = match privilege {
        "CREATE_MODEL" => &["CREATE_FUNCTION", "CREATE MODEL"][..],
        "CREATE_MODEL_VERSION" => &["CREATE MODEL VERSION"],
        _ => &[],
    };
    privilege.is_empty()
        || held.contains(privilege)
        || held.contains(&privilege.replace('_', " "))
        || same.iter().any(|name| held.contains(*name))
        || (privilege != "MANAGE" && held.contains("ALL_PRIVILEGES"))
}

fn owner(app: &App, kind: Kind, name: &str) -> Result<Option<String>, ApiError> {
    if kind == Kind::Model {
        return Ok(app.store.owner("model", name)?);
    }
    let body = app.store.securable(kind.stored(), name)?;
    Ok(body.and_then(|body| body["owner"].as_str().map(str::to_owned)))
}
