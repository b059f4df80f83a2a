//! The caller's own personal access tokens.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lifetime_ms;
use crate::call::{Call, JsonBody, Reply};
use crate::error::ApiError;
use crate::store::{AccessToken, NewToken, TokenKind};

#[derive(Deserialize)]
pub(super) struct Create {
    #[serde(default)]
    comment: String,
    lifetime_seconds: Option<i64>,
}

fn view(token: &AccessToken) -> Value {
    json!({"token_id": token.token_id, "comment": token.comment, "creation_time": token.created_at,
        "expiry_time": token.expires_at.unwrap_or(-1)})
}

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<Create>) -> Reply {
    call.caller.require_own_token()?;
    let (value, token) = call.store.create_access_token(&NewToken {
        owner_id: call.caller.who.id,
        kind: TokenKind::Personal,
        comment: &body.comment,
        created_by: call.caller.name(),
        lifetime_ms: lifetime_ms(body.lifetime_seconds),
    })?;
    Ok(Json(
        json!({"token_value": value.expose(), "token_info": view(&token)}),
    ))
}

pub(super) async fn list(call: Call) -> Reply {
    let tokens = call.store.access_tokens(Some(call.caller.who.id))?;
    let tokens: Vec<Value> = tokens.iter().map(view).collect();
    Ok(Json(json!({ "token_infos": tokens })))
}

#[derive(Deserialize)]
pub(super) struct TokenId {
    token_id: String,
}

pub(super) async fn delete(call: Call, JsonBody(body): JsonBody<TokenId>) -> Reply {
    call.caller.require_own_token()?;
    let gone = call
        .store
        .delete_access_token(&body.token_id, Some(call.caller.who.id))?;
    if gone {
        return Ok(Json(json!({})));
    }
    Err(absent(&body.token_id))
}

pub(super) fn absent(token_id: &str) -> ApiError {
    ApiError::not_found(format!(
        "Token with ID {} does not exist.",
        token_id.escape_debug()
    ))
}
