//! Tokens, client secrets and federation policies.

mod federation;
mod secrets;

use axum::Json;
use axum::extract::Path;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Call, JsonBody, QueryString, Reply, Routes};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{AccessToken, NewToken, Principal, PrincipalKind, TokenKind};

pub(super) fn router() -> Routes {
    let service = "/api/2.0/accounts/{account_id}/servicePrincipals/{id}";
    Routes::new()
        .route("/api/2.0/token/create", post(create_own))
        .route("/api/2.0/token/list", get(list_own))
        .route("/api/2.0/token/delete", post(delete_own))
        .route(
            "/api/2.0/token-management/on-behalf-of/tokens",
            post(create_for),
        )
        .route("/api/2.0/token-management/tokens", get(list_all))
        .route(
            "/api/2.0/token-management/tokens/{token_id}",
            get(show_any).delete(delete_any),
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

#[derive(Deserialize)]
struct CreateOwn {
    #[serde(default)]
    comment: String,
    lifetime_seconds: Option<i64>,
}

fn view_own(token: &AccessToken) -> Value {
    json!({"token_id": token.token_id, "comment": token.comment, "creation_time": token.created_at,
        "expiry_time": token.expires_at.unwrap_or(-1)})
}

async fn create_own(call: Call, JsonBody(body): JsonBody<CreateOwn>) -> Reply {
    call.caller.require_own_token()?;
    let (value, token) = call.store.create_access_token(&NewToken {
        owner_id: call.caller.who.id,
        kind: TokenKind::Personal,
        comment: &body.comment,
        created_by: call.caller.name(),
        lifetime_ms: lifetime_ms(body.lifetime_seconds),
    })?;
    Ok(Json(
        json!({"token_value": value.expose(), "token_info": view_own(&token)}),
    ))
}

async fn list_own(call: Call) -> Reply {
    let tokens = call.store.access_tokens(Some(call.caller.who.id))?;
    let tokens: Vec<Value> = tokens.iter().map(view_own).collect();
    Ok(Json(json!({ "token_infos": tokens })))
}

#[derive(Deserialize)]
struct TokenId {
    token_id: String,
}

async fn delete_own(call: Call, JsonBody(body): JsonBody<TokenId>) -> Reply {
    call.caller.require_own_token()?;
    let gone = call
        .store
        .delete_access_token(&body.token_id, Some(call.caller.who.id))?;
    if gone {
        return Ok(Json(json!({})));
    }
    Err(no_token(&body.token_id))
}

fn no_token(token_id: &str) -> ApiError {
    ApiError::not_found(format!(
        "Token with ID {} does not exist.",
        token_id.escape_debug()
    ))
}

/// On behalf of a service principal.
#[derive(Deserialize)]
struct CreateFor {
    application_id: String,
    #[serde(default)]
    comment: String,
    lifetime_seconds: Option<i64>,
}

fn view(app: &App, token: &AccessToken) -> Value {
    let creator = app
        .store
        .principal_by_name(&token.created_by)
        .ok()
        .flatten();
    json!({
        "token_id": token.token_id, "comment": token.comment, "creation_time": token.created_at,
        "expiry_time": token.expires_at.unwrap_or(-1), "owner_id": token.owner_id,
        "created_by_id": creator.map(|who| who.id), "created_by_username": token.created_by,
        "workspace_id": app.identity.workspace_id.parse::<i64>().unwrap_or_default(),
    })
}

async fn create_for(call: Call, JsonBody(body): JsonBody<CreateFor>) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    let who = call.store.principal_by_name(&body.application_id)?;
    let who = who
        .filter(|who| who.kind == PrincipalKind::ServicePrincipal)
        .ok_or_else(|| {
            ApiError::not_found(format!(
                "Service principal {} does not exist.",
                body.application_id.escape_debug()
            ))
        })?;
    let (value, token) = call.store.create_access_token(&NewToken {
        owner_id: who.id,
        kind: TokenKind::Personal,
        comment: &body.comment,
        created_by: call.caller.name(),
        lifetime_ms: lifetime_ms(body.lifetime_seconds),
    })?;
    Ok(Json(
        json!({"token_value": value.expose(), "token_info": view(&call, &token)}),
    ))
}

#[derive(Deserialize)]
struct ListTokens {
    created_by_id: Option<i64>,
    created_by_username: Option<String>,
}

async fn list_all(call: Call, QueryString(query): QueryString<ListTokens>) -> Reply {
    call.caller.require_admin()?;
    let tokens = call.store.access_tokens(None)?;
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| view(&call, token))
        .filter(|token| {
            query
                .created_by_id
                .is_none_or(|id| token["created_by_id"] == id)
                && query
                    .created_by_username
                    .as_ref()
                    .is_none_or(|name| token["created_by_username"] == name.as_str())
        })
        .collect();
    Ok(Json(json!({ "token_infos": tokens })))
}

async fn show_any(call: Call, Path(token_id): Path<String>) -> Reply {
    call.caller.require_admin()?;
    let tokens = call.store.access_tokens(None)?;
    let token = tokens.iter().find(|token| token.token_id == token_id);
    let token = token.ok_or_else(|| no_token(&token_id))?;
    Ok(Json(json!({"token_info": view(&call, token)})))
}

async fn delete_any(call: Call, Path(token_id): Path<String>) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    if call.store.delete_access_token(&token_id, None)? {
        return Ok(Json(json!({})));
    }
    Err(no_token(&token_id))
}
