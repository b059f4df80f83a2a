//! Secret scopes.

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Scope, check_name};
use crate::access::{Permission, secret_scope};
use crate::call::{Call, JsonBody, Reply};
use crate::error::ApiError;
use crate::state::App;

/// The only supported backend: the workspace's own database.
const BACKEND: &str = "DATABRICKS";

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/2.0/secrets/scopes/create", post(create))
        .route("/api/2.0/secrets/scopes/list", get(list))
        .route("/api/2.0/secrets/scopes/delete", post(delete))
}

#[derive(Deserialize)]
struct Create {
    scope: String,
    initial_manage_principal: Option<String>,
    scope_backend_type: Option<String>,
}

async fn create(call: Call, JsonBody(body): JsonBody<Create>) -> Reply {
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

async fn list(call: Call) -> Reply {
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

async fn delete(call: Call, JsonBody(body): JsonBody<Scope>) -> Reply {
    secret_scope(&call, &body.scope, Permission::Manage)?;
    call.store.delete_secret_scope(&body.scope)?;
    Ok(Json(json!({})))
}
