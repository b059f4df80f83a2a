//! `/api/2.0/secrets`. Values leave only by `get`, in base64; no log and no page shows them.

mod acls;
mod scopes;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Permission, secret_scope};
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::caller::Credential;
use crate::error::ApiError;
use crate::state::App;

/// Databricks' limits: name of a scope or key, bytes of a value, secrets of a scope.
const LONGEST_NAME: usize = 128;
const LARGEST_VALUE: usize = 128 * 1024;
const MOST_SECRETS: usize = 1000;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(scopes::router())
        .merge(acls::router())
        .route("/api/2.0/secrets/put", post(put))
        .route("/api/2.0/secrets/get", get(read))
        .route("/api/2.0/secrets/list", get(list))
        .route("/api/2.0/secrets/delete", post(delete))
}

#[derive(Deserialize)]
struct Put {
    scope: String,
    key: String,
    string_value: Option<String>,
    bytes_value: Option<String>,
}

async fn put(call: Call, JsonBody(body): JsonBody<Put>) -> Reply {
    secret_scope(&call, &body.scope, Permission::Write)?;
    check_name("key", &body.key)?;
    let value = match (body.string_value, body.bytes_value) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(encoded)) => STANDARD
            .decode(encoded)
            .map_err(|_| ApiError::invalid("bytes_value is not base64"))?,
        _ => {
            return Err(ApiError::invalid(
                "a secret has either a string_value or a bytes_value",
            ));
        }
    };
    if value.len() > LARGEST_VALUE {
        return Err(ApiError::invalid(format!(
            "the secret has {} bytes; the limit is {LARGEST_VALUE}",
            value.len()
        )));
    }
    let known = call.store.secret_names(&body.scope)?;
    if known.len() >= MOST_SECRETS && known.iter().all(|name| name.key != body.key) {
        return Err(ApiError::new(
            axum::http::StatusCode::BAD_REQUEST,
            "RESOURCE_LIMIT_EXCEEDED",
            format!(
                "Scope {} has {MOST_SECRETS} secrets, which is the limit",
                body.scope
            ),
        ));
    }
    call.store.put_secret(&body.scope, &body.key, &value)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Name {
    scope: String,
    key: String,
}

async fn read(call: Call, QueryString(name): QueryString<Name>) -> Reply {
    secret_scope(&call, &name.scope, Permission::Read)?;
    let value = call.store.secret(&name.scope, &name.key)?;
    let value = value.ok_or_else(|| absent(&name))?;
    if let Credential::Run { job_run_id } = call.caller.by {
        call.runner.redaction.note(job_run_id, &value);
    }
    Ok(Json(
        json!({"key": name.key, "value": STANDARD.encode(value)}),
    ))
}

async fn delete(call: Call, JsonBody(name): JsonBody<Name>) -> Reply {
    secret_scope(&call, &name.scope, Permission::Write)?;
    if call.store.delete_secret(&name.scope, &name.key)? {
        Ok(Json(json!({})))
    } else {
        Err(absent(&name))
    }
}

#[derive(Deserialize)]
struct Scope {
    scope: String,
}

async fn list(call: Call, QueryString(query): QueryString<Scope>) -> Reply {
    secret_scope(&call, &query.scope, Permission::Read)?;
    let names = call.store.secret_names(&query.scope)?;
    let secrets: Vec<Value> = names
        .iter()
        .map(|name| json!({"key": name.key, "last_updated_timestamp": name.updated_at}))
        .collect();
    Ok(Json(if secrets.is_empty() {
        json!({})
    } else {
        json!({ "secrets": secrets })
    }))
}

fn absent(name: &Name) -> ApiError {
    ApiError::not_found(format!(
        "Secret does not exist with scope: {} and key: {}",
        name.scope, name.key
    ))
}

/// Letters, digits and `-_@.`, as on Databricks.
fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "-_@.".contains(letter);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fine) {
        return Err(ApiError::invalid(format!(
            "{what} must have 1 to {LONGEST_NAME} letters, digits, dashes, underscores, @ and dots"
        )));
    }
    Ok(())
}
