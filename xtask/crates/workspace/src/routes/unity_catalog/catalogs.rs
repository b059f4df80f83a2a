//! Catalogs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::schemas;
use crate::access;
use crate::caller::Caller;
use crate::catalogs::{self, names};
use crate::error::ApiError;
use crate::extract::{JsonBody, QueryString};
use crate::state::App;
use crate::store::Securable;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let name = names::name(
        "catalog",
        body.get("name").and_then(Value::as_str).unwrap_or_default(),
    )?;
    caller.require_admin()?;
    let Some(catalog) = catalogs::add_catalog(&app, &caller, &name, &body)? else {
        return Err(names::taken("catalog", &name));
    };
    Ok(Json(catalog))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&name);
    access::require_privilege(&app, &caller, "USE_CATALOG", "catalog", &full_name)?;
    find(&app, &name).map(Json)
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    let catalogs = app.store.securables("catalog", "")?;
    Ok(Json(
        json!({"catalogs": access::seen(&app, &caller, "catalog", catalogs)?}),
    ))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(changes): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&name);
    let mut body = find(&app, &name)?;
    access::require_owner(&app, &caller, "catalog", &full_name)?;
    names::apply(
        &caller,
        &mut body,
        &changes,
        &[
            "comment",
            "owner",
            "properties",
            "options",
            "isolation_mode",
        ],
    )?;
    let catalog = Securable {
        kind: "catalog",
        full_name: full_name.clone(),
        parent: String::new(),
        body,
    };
    app.store.replace_securable(&full_name, &catalog)?;
    Ok(Json(catalog.body))
}

#[derive(Deserialize)]
pub(super) struct Force {
    #[serde(default)]
    pub(super) force: bool,
}

/// A catalog with schemas other than `default` only with `force`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    QueryString(query): QueryString<Force>,
) -> Result<Json<Value>, ApiError> {
    find(&app, &name)?;
    let name = names::full_name(&name);
    access::require_owner(&app, &caller, "catalog", &name)?;
    let schemas = app.store.securables("schema", &name)?;
    if !query.force
        && schemas
            .iter()
            .any(|schema| schema["name"] != catalogs::DEFAULT)
    {
        return Err(names::not_empty("catalog", &name, "schemas"));
    }
    for schema in schemas {
        schemas::remove(
            &app,
            schema["full_name"].as_str().unwrap_or_default(),
            query.force,
        )
        .await?;
    }
    app.store.delete_securable("catalog", &name)?;
    app.store.delete_grants("catalog", &name)?;
    Ok(Json(json!({})))
}

fn find(app: &App, name: &str) -> Result<Value, ApiError> {
    app.store
        .securable("catalog", &names::full_name(name))?
        .ok_or_else(|| names::absent("catalog", name))
}
