//! Routes that need no token: discovery, liveness and sign-in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::auth;
use crate::call::Routes;
use crate::state::App;

pub(super) fn router() -> Routes {
    Routes::new()
        .route("/health", get(|| async { StatusCode::OK }))
        .route("/.well-known/databricks-config", get(databricks_config))
        .route("/oidc/.well-known/oauth-authorization-server", get(oidc))
        .route("/oidc/.well-known/openid-configuration", get(oidc))
        .route("/oidc/v1/token", post(auth::token))
        .route("/sign-in", get(auth::sign_in))
}

async fn databricks_config(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "oidc_endpoint": format!("{}/oidc", app.url),
        "workspace_id": app.identity.workspace_id,
    }))
}

/// For programs. Interactive sign-in (`authorize`) answers 501.
async fn oidc(State(app): State<Arc<App>>) -> Json<Value> {
    let issuer = format!("{}/oidc", app.url);
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/v1/authorize"),
        "token_endpoint": format!("{issuer}/v1/token"),
        "grant_types_supported": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }))
}
