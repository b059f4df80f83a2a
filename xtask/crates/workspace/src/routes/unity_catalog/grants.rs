//! Grants: stored and shown here, enforced by `access`.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access;
use crate::call::{Call, JsonBody, Reply};
use crate::catalogs::names;
use crate::error::ApiError;
use crate::state::App;

const ALL: &str = "ALL_PRIVILEGES";

#[derive(Deserialize)]
pub(super) struct Changes {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    principal: String,
    #[serde(default)]
    add: BTreeSet<String>,
    #[serde(default)]
    remove: BTreeSet<String>,
}

pub(super) async fn show(call: Call, Path(target): Path<(String, String)>) -> Reply {
    let (kind, full_name) = find(&call, target)?;
    if !access::sees(&call, &kind, &full_name)? {
        access::require_owner(&call, &kind, &full_name)?;
    }
    describe(&call, &kind, &full_name)
}

/// Removing ALL_PRIVILEGES removes all privileges, before others are added.
pub(super) async fn change(
    call: Call,
    Path(target): Path<(String, String)>,
    JsonBody(body): JsonBody<Changes>,
) -> Reply {
    let (kind, full_name) = find(&call, target)?;
    access::require_owner(&call, &kind, &full_name)?;
    if let Some(unclear) = body
        .changes
        .iter()
        .find(|change| !change.add.is_disjoint(&change.remove))
    {
        return Err(ApiError::invalid(format!(
            "Duplicate privileges to add and delete for principal {}.",
            unclear.principal
        )));
    }
    for change in body
        .changes
        .iter()
        .filter(|change| !change.principal.is_empty())
    {
        let grants = call.store.grants(&kind, &full_name)?;
        let mut held = grants
            .into_iter()
            .find(|(name, _)| *name == change.principal)
            .map(|(_, held)| held)
            .unwrap_or_default();
        if change.remove.contains(ALL) {
            held.clear();
        }
        held.retain(|privilege| !change.remove.contains(privilege));
        held.extend(change.add.iter().cloned());
        call.store
            .set_grant(&kind, &full_name, &change.principal, &held)?;
    }
    describe(&call, &kind, &full_name)
}

fn describe(app: &App, kind: &str, full_name: &str) -> Reply {
    let grants = app.store.grants(kind, full_name)?;
    let grants: Vec<Value> = grants
        .into_iter()
        .map(|(principal, privileges)| json!({"principal": principal, "privileges": privileges}))
        .collect();
    Ok(Json(if grants.is_empty() {
        json!({})
    } else {
        json!({"privilege_assignments": grants})
    }))
}

/// In lower case. Models (`function` here) are in MLflow and not checked.
fn find(app: &App, (kind, full_name): (String, String)) -> Result<(String, String), ApiError> {
    let (kind, full_name) = (kind.to_lowercase(), full_name.to_lowercase());
    match kind.as_str() {
        "catalog" | "schema" | "volume" => {
            app.store
                .securable(&kind, &full_name)?
                .ok_or_else(|| names::absent(&kind, &full_name))?;
        }
        "function" | "registered_model" => return Ok(("function".to_owned(), full_name)),
        _ => {
            return Err(ApiError::not_implemented(format!(
                "the local workspace has no grants on a {kind}"
            )));
        }
    }
    Ok((kind, full_name))
}
