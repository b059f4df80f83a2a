//! `/api/2.0/secrets`. Values leave only by `get`, in base64; no log and no page shows them.

use axum::Json;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Permission, secret_scope};
use crate::call::{Call, JsonBody, QueryString, Reply, Routes};
use crate::caller::Credential;
use crate::error::ApiError;

const LONGEST_NAME: usize = 128;
const LARGEST_VALUE: usize = 128 * 1024;
const MOST_SECRETS: usize = 1000;

pub(super) fn router() -> Routes {
    Routes::new()
        .route("/api/2.0/secrets/scopes/create", post(create_scope))
        .route("/api/2.0/secrets/scopes/list", get(list_scopes))
        .route("/api/2.0/secrets/scopes/delete", post(delete_scope))
        .route("/api/2.0/secrets/acls/put", post(put_acl))
        .route("/api/2.0/secrets/acls/get", get(read_acl))
        .route("/api/2.0/secrets/acls/list", get(list_acls))
        .route("/api/2.0/secrets/acls/delete", post(delete_acl))
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
        return Err(ApiError::bad_request(
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

#[derive(Deserialize)]
struct PutAcl {
    scope: String,
    principal: String,
    permission: String,
}

async fn put_acl(call: Call, JsonBody(body): JsonBody<PutAcl>) -> Reply {
    secret_scope(&call, &body.scope, Permission::Manage)?;
    if body.principal.is_empty() || Permission::parse(&body.permission).is_none() {
        return Err(ApiError::invalid(
            "an ACL needs a principal and a permission: READ, WRITE or MANAGE",
        ));
    }
    call.store
        .put_secret_acl(&body.scope, &body.principal, &body.permission)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct OfPrincipal {
    scope: String,
    principal: String,
}

async fn read_acl(call: Call, QueryString(query): QueryString<OfPrincipal>) -> Reply {
    secret_scope(&call, &query.scope, Permission::Manage)?;
    let acls = call.store.secret_acls(&query.scope)?;
    let own = acls.iter().find(|(name, _)| *name == query.principal);
    own.map(|(principal, permission)| Json(acl(principal, permission)))
        .ok_or_else(|| no_acl(&query))
}

async fn list_acls(call: Call, QueryString(query): QueryString<Scope>) -> Reply {
    secret_scope(&call, &query.scope, Permission::Manage)?;
    let acls = call.store.secret_acls(&query.scope)?;
    let items: Vec<Value> = acls
        .iter()
        .map(|(principal, permission)| acl(principal, permission))
        .collect();
    Ok(Json(if items.is_empty() {
        json!({})
    } else {
        json!({ "items": items })
    }))
}

async fn delete_acl(call: Call, JsonBody(body): JsonBody<OfPrincipal>) -> Reply {
    secret_scope(&call, &body.scope, Permission::Manage)?;
    if call.store.delete_secret_acl(&body.scope, &body.principal)? {
        Ok(Json(json!({})))
    } else {
        Err(no_acl(&body))
    }
}

fn acl(principal: &str, permission: &str) -> Value {
    json!({"principal": principal, "permission": permission})
}

fn no_acl(query: &OfPrincipal) -> ApiError {
    ApiError::not_found(format!(
        "Failed to get secret acl for principal {} for scope {}.",
        query.principal, query.scope
    ))
}

/// The only supported backend: the workspace's own database.
const BACKEND: &str = "DATABRICKS";

#[derive(Deserialize)]
struct CreateScope {
    scope: String,
    initial_manage_principal: Option<String>,
    scope_backend_type: Option<String>,
}

async fn create_scope(call: Call, JsonBody(body): JsonBody<CreateScope>) -> Reply {
    check_name("scope", &body.scope)?;
    let backend = body.scope_backend_type.as_deref().unwrap_or(BACKEND);
    if !matches!(backend, BACKEND | "") {
        return Err(ApiError::invalid(format!(
            "the local workspace has only scopes of type {BACKEND}, not {backend}"
        )));
    }
    let manager = match body.initial_manage_principal.as_deref() {
        None | Some("") => call.caller.name(),
        Some("users") => "users",
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "initial_manage_principal must be 'users' or missing, not '{other}'"
            )));
        }
    };
    if call.store.create_secret_scope(&body.scope, manager)? {
        Ok(Json(json!({})))
    } else {
        Err(ApiError::already_exists(format!(
            "Scope {} already exists!",
            body.scope
        )))
    }
}

async fn list_scopes(call: Call) -> Reply {
    let names = call.store.secret_scopes()?;
    let scopes: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "backend_type": BACKEND}))
        .collect();
    Ok(Json(if scopes.is_empty() {
        json!({})
    } else {
        json!({ "scopes": scopes })
    }))
}

async fn delete_scope(call: Call, JsonBody(body): JsonBody<Scope>) -> Reply {
    secret_scope(&call, &body.scope, Permission::Manage)?;
    call.store.delete_secret_scope(&body.scope)?;
    Ok(Json(json!({})))
}
