//! Schemas.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::catalogs::Force;
use super::{Fields, text, volumes};
use crate::access;
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::catalogs::names::{self, FullName};
use crate::catalogs::{SCHEMA, VOLUME, add_schema, ensure};
use crate::error::ApiError;
use crate::mlflow::registry;

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<Fields>) -> Reply {
    let catalog = names::name("catalog", text(&body, "catalog_name"))?;
    let name = names::name("schema", text(&body, "name"))?;
    ensure(&call, &catalog)?;
    access::require_privilege(&call, "USE_CATALOG", "catalog", &catalog)?;
    access::require_privilege(&call, "CREATE_SCHEMA", "catalog", &catalog)?;
    add_schema(&call, &catalog, &name, &body).map(Json)
}

#[derive(Deserialize)]
pub(super) struct ListSchemas {
    catalog_name: FullName,
}

pub(super) async fn list(call: Call, QueryString(query): QueryString<ListSchemas>) -> Reply {
    let schemas = call.store.securables(SCHEMA.name, &query.catalog_name)?;
    Ok(Json(
        json!({"schemas": access::seen(&call, SCHEMA.name, schemas)?}),
    ))
}

pub(super) async fn delete(
    call: Call,
    Path(full_name): Path<FullName>,
    QueryString(query): QueryString<Force>,
) -> Reply {
    SCHEMA.find(&call, &full_name)?;
    access::require_owner(&call, SCHEMA.name, &full_name)?;
    remove(&call, &full_name, query.force).await?;
    Ok(Json(json!({})))
}

/// With `force`, also the volumes and models in it.
pub(super) async fn remove(call: &Call, full_name: &str, force: bool) -> Result<(), ApiError> {
    let (catalog, name) = full_name.split_once('.').unwrap_or((full_name, ""));
    let volumes = call.store.securables(VOLUME.name, full_name)?;
    let models = models(call, catalog, name).await?;
    if !force && !volumes.is_empty() {
        return Err(names::not_empty(SCHEMA.name, full_name, "volumes"));
    }
    if !force && !models.is_empty() {
        return Err(names::not_empty(
            SCHEMA.name,
            full_name,
            "registered models",
        ));
    }
    for volume in &volumes {
        volumes::remove(call, volume["full_name"].as_str().unwrap_or_default()).await?;
    }
    for model in &models {
        registry::delete_model(call, model["full_name"].as_str().unwrap_or_default()).await?;
    }
    SCHEMA.delete(call, full_name)
}

/// Before MLflow has a database there are no models, so nothing waits for its start.
async fn models(call: &Call, catalog: &str, name: &str) -> Result<Vec<Value>, ApiError> {
    if !call.config.state.path().join("mlflow/mlflow.db").exists() {
        return Ok(Vec::new());
    }
    registry::list_models(call, catalog, name).await
}
