//! Permissions of secret scopes.

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Scope;
use crate::access::{Permission, secret_scope};
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::error::ApiError;
use crate::state::App;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/2.0/secrets/acls/put", post(put))
        .route("/api/2.0/secrets/acls/get", get(read))
        .route("/api/2.0/secrets/acls/list", get(list))
        .route("/api/2.0/secrets/acls/delete", post(delete))
}

#[derive(Deserialize)]
struct Put {
    scope: String,
    principal: String,
    permission: String,
}

async fn put(call: Call, JsonBody(body): JsonBody<Put>) -> Reply {
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

async fn read(call: Call, QueryString(query): QueryString<OfPrincipal>) -> Reply {
    secret_scope(&call, &query.scope, Permission::Manage)?;
    let acls = call.store.secret_acls(&query.scope)?;
    let own = acls.iter().find(|(name, _)| *name == query.principal);
    own.map(|(principal, permission)| Json(one(principal, permission)))
        .ok_or_else(|| absent(&query))
}

async fn list(call: Call, QueryString(query): QueryString<Scope>) -> Reply {
    secret_scope(&call, &query.scope, Permission::Manage)?;
    let acls = call.store.secret_acls(&query.scope)?;
    let items: Vec<Value> = acls
        .iter()
        .map(|(principal, permission)| one(principal, permission))
        .collect();
    Ok(Json(if items.is_empty() {
        json!({})
    } else {
        json!({ "items": items })
    }))
}

async fn delete(call: Call, JsonBody(body): JsonBody<OfPrincipal>) -> Reply {
    secret_scope(&call, &body.scope, Permission::Manage)?;
    if call.store.delete_secret_acl(&body.scope, &body.principal)? {
        Ok(Json(json!({})))
    } else {
        Err(absent(&body))
    }
}

fn one(principal: &str, permission: &str) -> Value {
    json!({"principal": principal, "permission": permission})
}

fn absent(query: &OfPrincipal) -> ApiError {
    ApiError::not_found(format!(
        "Failed to get secret acl for principal {} for scope {}.",
        query.principal, query.scope
    ))
}
