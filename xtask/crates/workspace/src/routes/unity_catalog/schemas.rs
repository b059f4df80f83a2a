//! Schemas.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::catalogs::Force;
use super::volumes;
use crate::access;
use crate::caller::Caller;
use crate::catalogs::{self, names, schema_named};
use crate::error::ApiError;
use crate::extract::{JsonBody, QueryString};
use crate::mlflow::registry;
use crate::state::App;
use crate::store::Securable;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let field = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let catalog = names::name("catalog", field("catalog_name"))?;
    let name = names::name("schema", field("name"))?;
    catalogs::ensure(&app, &catalog)?;
    access::require_privilege(&app, &caller, "USE_CATALOG", "catalog", &catalog)?;
    access::require_privilege(&app, &caller, "CREATE_SCHEMA", "catalog", &catalog)?;
    let added = catalogs::add_schema(&app, &caller, &catalog, &name, &body)?;
    added
        .map(Json)
        .ok_or_else(|| names::taken("schema", &format!("{catalog}.{name}")))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let schema = schema_named(&app, &full_name)?;
    let full_name = names::full_name(&full_name);
    access::require_privilege(&app, &caller, "USE_SCHEMA", "schema", &full_name)?;
    Ok(Json(schema))
}

#[derive(Deserialize)]
pub(super) struct ListSchemas {
    catalog_name: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    QueryString(query): QueryString<ListSchemas>,
) -> Result<Json<Value>, ApiError> {
    let schemas = app
        .store
        .securables("schema", &names::full_name(&query.catalog_name))?;
    Ok(Json(
        json!({"schemas": access::seen(&app, &caller, "schema", schemas)?}),
    ))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
    JsonBody(changes): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let mut body = schema_named(&app, &full_name)?;
    access::require_owner(&app, &caller, "schema", &names::full_name(&full_name))?;
    names::apply(
        &caller,
        &mut body,
        &changes,
        &[
            "comment",
            "owner",
            "properties",
            "enable_predictive_optimization",
        ],
    )?;
    let full_name = names::full_name(&full_name);
    let parent = body["catalog_name"].as_str().unwrap_or_default().to_owned();
    let schema = Securable {
        kind: "schema",
        full_name: full_name.clone(),
        parent,
        body,
    };
    app.store.replace_securable(&full_name, &schema)?;
    Ok(Json(schema.body))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
    QueryString(query): QueryString<Force>,
) -> Result<Json<Value>, ApiError> {
    schema_named(&app, &full_name)?;
    access::require_owner(&app, &caller, "schema", &names::full_name(&full_name))?;
    remove(&app, &names::full_name(&full_name), query.force).await?;
    Ok(Json(json!({})))
}

/// With `force`, also the volumes and models in it.
pub(super) async fn remove(app: &Arc<App>, full_name: &str, force: bool) -> Result<(), ApiError> {
    let (catalog, name) = full_name.split_once('.').unwrap_or((full_name, ""));
    let volumes = app.store.securables("volume", full_name)?;
    let models = models(app, catalog, name).await?;
    let empty = volumes.is_empty() && models.is_empty();
    if !force && !empty {
        let holds = if volumes.is_empty() {
            "registered models"
        } else {
            "volumes"
        };
        return Err(names::not_empty("schema", full_name, holds));
    }
    for volume in &volumes {
        volumes::remove(app, volume["full_name"].as_str().unwrap_or_default()).await?;
    }
    for model in &models {
        registry::delete_model(app, model["full_name"].as_str().unwrap_or_default()).await?;
    }
    app.store.delete_securable("schema", full_name)?;
    Ok(app.store.delete_grants("schema", full_name)?)
}

/// Before MLflow has a database there are no models, so nothing waits for its start.
async fn models(app: &App, catalog: &str, name: &str) -> Result<Vec<Value>, ApiError> {
    if !app.config.state.path().join("mlflow/mlflow.db").exists() {
        return Ok(Vec::new());
    }
    registry::list_models(app, catalog, name).await
}
