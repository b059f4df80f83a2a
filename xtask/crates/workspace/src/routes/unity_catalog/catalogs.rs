//! Catalogs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{names, schemas};
use crate::error::ApiError;
use crate::routes::extract::{JsonBody, QueryString};
use crate::state::App;
use crate::store::Securable;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let name = names::name(
        "catalog",
        body.get("name").and_then(Value::as_str).unwrap_or_default(),
    )?;
    let Some(catalog) = add(&app, &name, &body)? else {
        return Err(names::taken("catalog", &name));
    };
    Ok(Json(catalog))
}

/// Makes the catalog where it is missing.
pub(super) fn ensure(app: &App, name: &str) -> Result<(), ApiError> {
    if app.store.securable("catalog", name)?.is_none() {
        add(app, name, &Map::new())?;
    }
    Ok(())
}

/// Adds a catalog with its `default` schema; `None` if the name is taken.
fn add(app: &App, name: &str, given: &Map<String, Value>) -> Result<Option<Value>, ApiError> {
    let mut body = Value::Object(names::origin(app, "id")?);
    for (key, value) in [
        ("name", json!(name)),
        ("full_name", json!(name)),
        ("catalog_type", json!("MANAGED_CATALOG")),
        ("securable_type", json!("CATALOG")),
        ("isolation_mode", json!("OPEN")),
    ] {
        body[key] = value;
    }
    names::apply(
        app,
        &mut body,
        given,
        &["comment", "properties", "options", "isolation_mode"],
    )?;
    let catalog = Securable {
        kind: "catalog",
        full_name: name.to_owned(),
        parent: String::new(),
        body: body.clone(),
    };
    if !app.store.create_securable(&catalog)? {
        return Ok(None);
    }
    schemas::add(app, name, schemas::DEFAULT, &Map::new())?;
    Ok(Some(body))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    find(&app, &name).map(Json)
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    Ok(Json(
        json!({"catalogs": app.store.securables("catalog", "")?}),
    ))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    JsonBody(changes): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&name);
    let mut body = find(&app, &name)?;
    names::apply(
        &app,
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

/// Removes a catalog; one with schemas other than `default` only with `force`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    QueryString(query): QueryString<Force>,
) -> Result<Json<Value>, ApiError> {
    find(&app, &name)?;
    let name = names::full_name(&name);
    let schemas = app.store.securables("schema", &name)?;
    if !query.force
        && schemas
            .iter()
            .any(|schema| schema["name"] != schemas::DEFAULT)
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
