//! Client secrets, with which a service principal gets OAuth tokens.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{service, time};
use crate::call::{Call, JsonBody, Reply};
use crate::error::ApiError;
use crate::store::ClientSecret;

/// Secrets of a service principal, as on Databricks.
const MOST: usize = 5;
/// Default lifetime, seconds: two years.
const LIFETIME: i64 = 730 * 24 * 60 * 60;

#[derive(Deserialize)]
pub(super) struct Create {
    /// Such as `3600s`.
    lifetime: Option<String>,
}

fn view(secret: &ClientSecret) -> Value {
    let mut body = json!({
        "id": secret.secret_id, "secret_hash": secret.fingerprint, "status": "ACTIVE",
        "create_time": time(secret.created_at), "update_time": time(secret.created_at),
    });
    if let Some(end) = secret.expires_at {
        body["expire_time"] = time(end).into();
    }
    body
}

pub(super) async fn create(
    call: Call,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Create>,
) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    let who = service(&call, &id)?;
    if call.store.client_secrets(who.id)?.len() >= MOST {
        return Err(ApiError::invalid(format!(
            "The service principal has {MOST} secrets, which is the limit: delete one first."
        )));
    }
    let seconds = match &body.lifetime {
        None => LIFETIME,
        Some(text) => text
            .strip_suffix('s')
            .and_then(|number| number.parse().ok())
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| {
                ApiError::invalid("lifetime is a number of seconds followed by s, such as 3600s")
            })?,
    };
    let (value, secret) = call
        .store
        .create_client_secret(who.id, Some(seconds.saturating_mul(1000)))?;
    let mut reply = view(&secret);
    reply["secret"] = value.expose().into();
    Ok(Json(reply))
}

pub(super) async fn list(call: Call, Path(id): Path<String>) -> Reply {
    call.caller.require_admin()?;
    let who = service(&call, &id)?;
    let secrets = call.store.client_secrets(who.id)?;
    let secrets: Vec<Value> = secrets.iter().map(view).collect();
    Ok(Json(json!({ "secrets": secrets })))
}

pub(super) async fn delete(call: Call, Path((id, secret_id)): Path<(String, String)>) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    let who = service(&call, &id)?;
    if call.store.delete_client_secret(who.id, &secret_id)? {
        return Ok(Json(json!({})));
    }
    Err(ApiError::not_found(format!(
        "Secret {} does not exist.",
        secret_id.escape_debug()
    )))
}
