//! Tokens, client secrets and federation policies.

mod federation;
mod management;
mod own;
mod secrets;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;

use crate::error::ApiError;
use crate::state::App;
use crate::store::{Principal, PrincipalKind};

pub(super) fn router() -> Router<Arc<App>> {
    let service = "/api/2.0/accounts/{account_id}/servicePrincipals/{id}";
    Router::new()
        .route("/api/2.0/token/create", post(own::create))
        .route("/api/2.0/token/list", get(own::list))
        .route("/api/2.0/token/delete", post(own::delete))
        .route(
            "/api/2.0/token-management/on-behalf-of/tokens",
            post(management::create),
        )
        .route("/api/2.0/token-management/tokens", get(management::list))
        .route(
            "/api/2.0/token-management/tokens/{token_id}",
            get(management::show).delete(management::delete),
        )
        .route(
            "/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets",
            post(secrets::create).get(secrets::list),
        )
        .route(
            "/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets/{secret_id}",
            axum::routing::delete(secrets::delete),
        )
        .route(
            &format!("{service}/federationPolicies"),
            post(federation::create).get(federation::list),
        )
        .route(
            &format!("{service}/federationPolicies/{{policy_id}}"),
            get(federation::show)
                .patch(federation::update)
                .delete(federation::delete),
        )
}

fn service(app: &App, id: &str) -> Result<Principal, ApiError> {
    let found = app.store.principal(id.parse().unwrap_or_default())?;
    found
        .filter(|who| who.kind == PrincipalKind::ServicePrincipal)
        .ok_or_else(|| {
            ApiError::not_found(format!(
                "Service principal {} does not exist.",
                id.escape_debug()
            ))
        })
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .unwrap_or_default()
        .to_string()
}

/// From seconds; 0 or less means no limit.
fn lifetime_ms(seconds: Option<i64>) -> Option<i64> {
    seconds
        .filter(|seconds| *seconds > 0)
        .map(|seconds| seconds.saturating_mul(1000))
}
