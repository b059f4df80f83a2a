//! All personal access tokens, for admins; also on behalf of a service principal.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lifetime_ms;
use super::own::absent;
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{AccessToken, NewToken, PrincipalKind, TokenKind};

#[derive(Deserialize)]
pub(super) struct Create {
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

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<Create>) -> Reply {
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
pub(super) struct ListTokens {
    created_by_id: Option<i64>,
    created_by_username: Option<String>,
}

pub(super) async fn list(call: Call, QueryString(query): QueryString<ListTokens>) -> Reply {
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

pub(super) async fn show(call: Call, Path(token_id): Path<String>) -> Reply {
    call.caller.require_admin()?;
    let tokens = call.store.access_tokens(None)?;
    let token = tokens.iter().find(|token| token.token_id == token_id);
    let token = token.ok_or_else(|| absent(&token_id))?;
    Ok(Json(json!({"token_info": view(&call, token)})))
}

pub(super) async fn delete(call: Call, Path(token_id): Path<String>) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    if call.store.delete_access_token(&token_id, None)? {
        return Ok(Json(json!({})));
    }
    Err(absent(&token_id))
}
