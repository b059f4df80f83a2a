//! Names of Unity Catalog objects, and the fields that all descriptions share.

use std::ops::Deref;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use xtask_local_server::now_ms;

use crate::caller::Caller;
use crate::catalog_limits::{self, Text};
use crate::error::ApiError;

/// A valid name in lower case, as Unity Catalog stores it.
pub(crate) fn name(what: &str, given: &str) -> Result<String, ApiError> {
    let refused = |why: &str| ApiError::invalid(format!("not a valid name for a {what}: {why}"));
    catalog_limits::check(Text::Name, given).map_err(|limit| refused(&limit.message))?;
    // The name becomes a folder name.
    if given.contains('\\') {
        return Err(refused(&format!(
            "'{}' has a backslash",
            given.escape_debug()
        )));
    }
    Ok(given.to_lowercase())
}

/// A full name in lower case, as Unity Catalog stores it.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(crate) struct FullName(String);

impl From<String> for FullName {
    fn from(given: String) -> FullName {
        FullName(given.to_lowercase())
    }
}

impl Deref for FullName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Copies the fields that a client may set, and records who changed them.
pub(crate) fn apply(
    caller: &Caller,
    body: &mut Value,
    changes: &Map<String, Value>,
    allowed: &[&str],
) -> Result<(), ApiError> {
    if changes.get("new_name").is_some_and(|name| !name.is_null()) {
        return Err(ApiError::not_implemented(
            "the local workspace does not rename Unity Catalog objects",
        ));
    }
    for key in allowed {
        if let Some(value) = changes.get(*key).filter(|value| !value.is_null()) {
            body[*key] = value.clone();
        }
    }
    body["updated_at"] = now_ms().into();
    body["updated_by"] = caller.name().into();
    Ok(())
}

pub(crate) fn absent(kind: &str, full_name: &str) -> ApiError {
    let (code, kind) = (
        format!("{}_DOES_NOT_EXIST", kind.to_uppercase()),
        capitalised(kind),
    );
    ApiError::new(
        StatusCode::NOT_FOUND,
        &code,
        format!("{kind} '{}' does not exist.", full_name.escape_debug()),
    )
}

pub(crate) fn taken(kind: &str, full_name: &str) -> ApiError {
    let (code, kind) = (
        format!("{}_ALREADY_EXISTS", kind.to_uppercase()),
        capitalised(kind),
    );
    ApiError::bad_request(&code, format!("{kind} '{full_name}' already exists"))
}

/// 400 for an object that is not empty.
pub(crate) fn not_empty(kind: &str, full_name: &str, holds: &str) -> ApiError {
    let message = format!(
        "{} '{full_name}' is not empty: it has {holds}. Delete it with force=true.",
        capitalised(kind)
    );
    ApiError::bad_request("INVALID_STATE", message)
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + characters.as_str())
        .unwrap_or_default()
}
