//! Catalogs and schemas.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fields, text, volumes};
use crate::access;
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::catalogs::names::{self, FullName};
use crate::catalogs::{CATALOG, DEFAULT, SCHEMA, VOLUME, add_catalog, add_schema, ensure};
use crate::error::ApiError;
use crate::mlflow::registry;

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<Fields>) -> Reply {
    let name = names::name("catalog", text(&body, "name"))?;
    call.caller.require_admin()?;
    add_catalog(&call, &name, &body).map(Json)
}

pub(super) async fn list(call: Call) -> Reply {
    let catalogs = call.store.securables(CATALOG.name, "")?;
    Ok(Json(
        json!({"catalogs": access::seen(&call, CATALOG.name, catalogs)?}),
    ))
}

#[derive(Deserialize)]
pub(super) struct Force {
    #[serde(default)]
    force: bool,
}

/// A catalog with schemas other than `default` only with `force`.
pub(super) async fn delete(
    call: Call,
    Path(name): Path<FullName>,
    QueryString(query): QueryString<Force>,
) -> Reply {
    CATALOG.find(&call, &name)?;
    access::require_owner(&call, CATALOG.name, &name)?;
    let schemas = call.store.securables(SCHEMA.name, &name)?;
    if !query.force && schemas.iter().any(|schema| schema["name"] != DEFAULT) {
        return Err(names::not_empty(CATALOG.name, &name, "schemas"));
    }
    for schema in schemas {
        let full_name = schema["full_name"].as_str().unwrap_or_default();
        remove(&call, full_name, query.force).await?;
    }
    CATALOG.delete(&call, &name)?;
    Ok(Json(json!({})))
}

pub(super) async fn create_schema(call: Call, JsonBody(body): JsonBody<Fields>) -> Reply {
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

pub(super) async fn list_schemas(
    call: Call,
    QueryString(query): QueryString<ListSchemas>,
) -> Reply {
    let schemas = call.store.securables(SCHEMA.name, &query.catalog_name)?;
    Ok(Json(
        json!({"schemas": access::seen(&call, SCHEMA.name, schemas)?}),
    ))
}

pub(super) async fn delete_schema(
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
async fn remove(call: &Call, full_name: &str, force: bool) -> Result<(), ApiError> {
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
