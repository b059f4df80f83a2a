//! Federation policies: which issuers' tokens a service principal may use instead of a secret.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{service, time};
use crate::auth::check_policy;
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{FederationPolicy, new_uuid};

/// Policies of a service principal, as on Databricks.
const MOST: usize = 20;

#[derive(Deserialize)]
pub(super) struct PolicyQuery {
    policy_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Body {
    #[serde(default)]
    description: String,
    #[serde(default)]
    oidc_policy: Value,
}

fn view(app: &App, principal_id: i64, policy: &FederationPolicy) -> Value {
    json!({
        "name": format!(
            "accounts/{}/servicePrincipals/{principal_id}/federationPolicies/{}",
            app.identity.account_id(), policy.policy_id
        ),
        "policy_id": policy.policy_id, "uid": policy.uid, "service_principal_id": principal_id,
        "description": policy.description, "oidc_policy": policy.oidc,
        "create_time": time(policy.created_at), "update_time": time(policy.updated_at),
    })
}

pub(super) async fn create(
    call: Call,
    Path((_, id)): Path<(String, String)>,
    QueryString(query): QueryString<PolicyQuery>,
    JsonBody(body): JsonBody<Body>,
) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    let who = service(&call, &id)?;
    check_policy(&body.oidc_policy)?;
    if call.store.federation_policies(who.id)?.len() >= MOST {
        return Err(ApiError::invalid(format!(
            "The service principal has {MOST} federation policies, which is the limit."
        )));
    }
    let policy_id = query.policy_id.filter(|id| !id.is_empty());
    let policy_id = match policy_id {
        Some(id) => checked_id(id)?,
        None => new_uuid()?,
    };
    let content = (body.description.as_str(), &body.oidc_policy);
    let made = call
        .store
        .put_federation_policy(who.id, &policy_id, content, false)?
        .ok_or_else(|| {
            ApiError::already_exists(format!("Federation policy {policy_id} already exists."))
        })?;
    Ok(Json(view(&call, who.id, &made)))
}

fn checked_id(id: String) -> Result<String, ApiError> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.len() <= 63 && id.chars().all(fine) {
        return Ok(id);
    }
    Err(ApiError::invalid(
        "policy_id must have at most 63 lower-case letters, digits and hyphens",
    ))
}

pub(super) async fn list(call: Call, Path((_, id)): Path<(String, String)>) -> Reply {
    call.caller.require_admin()?;
    let who = service(&call, &id)?;
    let policies = call.store.federation_policies(who.id)?;
    let policies: Vec<Value> = policies
        .iter()
        .map(|policy| view(&call, who.id, policy))
        .collect();
    Ok(Json(json!({ "policies": policies })))
}

type Target = Path<(String, String, String)>;

fn find(
    app: &App,
    (_, id, policy_id): &(String, String, String),
) -> Result<(i64, FederationPolicy), ApiError> {
    let who = service(app, id)?;
    let policy = app.store.federation_policy(who.id, policy_id)?;
    let policy = policy.ok_or_else(|| {
        ApiError::not_found(format!(
            "Federation policy {} does not exist.",
            policy_id.escape_debug()
        ))
    })?;
    Ok((who.id, policy))
}

pub(super) async fn show(call: Call, Path(target): Target) -> Reply {
    call.caller.require_admin()?;
    let (principal_id, policy) = find(&call, &target)?;
    Ok(Json(view(&call, principal_id, &policy)))
}

pub(super) async fn update(
    call: Call,
    Path(target): Target,
    JsonBody(body): JsonBody<Value>,
) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    let (principal_id, policy) = find(&call, &target)?;
    let description = body["description"].as_str().unwrap_or(&policy.description);
    let mut oidc = policy.oidc.clone();
    for (name, value) in body["oidc_policy"].as_object().into_iter().flatten() {
        oidc[name] = value.clone();
    }
    check_policy(&oidc)?;
    let changed = call.store.put_federation_policy(
        principal_id,
        &policy.policy_id,
        (description, &oidc),
        true,
    )?;
    Ok(Json(view(&call, principal_id, &changed.unwrap_or(policy))))
}

pub(super) async fn delete(call: Call, Path(target): Target) -> Reply {
    call.caller.require_admin()?;
    call.caller.require_own_token()?;
    let (principal_id, policy) = find(&call, &target)?;
    call.store
        .delete_federation_policy(principal_id, &policy.policy_id)?;
    Ok(Json(json!({})))
}
