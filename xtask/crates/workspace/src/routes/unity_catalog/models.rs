//! Registered models, stored in MLflow's registry.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{self, Model};
use crate::caller::Caller;
use crate::catalogs::{names, require_schema_for_model};
use crate::error::ApiError;
use crate::extract::{JsonBody, QueryString};
use crate::mlflow::registry::{self, NewModel};
use crate::state::App;

/// Default and maximum.
const VERSIONS_PER_PAGE: u32 = 100;
const MOST_VERSIONS_PER_PAGE: u32 = 1000;

#[derive(Deserialize)]
pub(super) struct Page {
    max_results: Option<u32>,
    page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CreateModel {
    catalog_name: String,
    schema_name: String,
    name: String,
    comment: Option<String>,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<CreateModel>,
) -> Result<Json<Value>, ApiError> {
    let model = NewModel {
        catalog: names::name("catalog", &body.catalog_name)?,
        schema: names::name("schema", &body.schema_name)?,
        name: names::name("registered model", &body.name)?,
        comment: body.comment,
    };
    require_schema_for_model(&app, &caller, &model.catalog, &model.schema)?;
    registry::create_model(&app, &caller, model).await.map(Json)
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_execute(&app, &caller)?;
    registry::get_model(&app, &full_name).await.map(Json)
}

/// Catalog and schema; all by default.
#[derive(Deserialize)]
pub(super) struct Within {
    catalog_name: Option<String>,
    schema_name: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    QueryString(query): QueryString<Within>,
) -> Result<Json<Value>, ApiError> {
    let given = |name: &Option<String>| {
        let name = name.as_deref().filter(|name| !name.is_empty());
        name.map(names::full_name)
    };
    let models = match (given(&query.catalog_name), given(&query.schema_name)) {
        (None, None) => registry::list_all_models(&app).await?,
        (Some(catalog), Some(schema)) => registry::list_models(&app, &catalog, &schema).await?,
        _ => {
            return Err(ApiError::invalid(
                "catalog_name and schema_name must be specified together",
            ));
        }
    };
    Ok(Json(
        json!({"registered_models": access::seen(&app, &caller, "function", models)?}),
    ))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
    JsonBody(changes): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_owner(&app, &caller)?;
    registry::update_model(&app, &full_name, &changes)
        .await
        .map(Json)
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_owner(&app, &caller)?;
    registry::delete_model(&app, &full_name).await?;
    // Registered models are functions to the grants API.
    app.store.delete_grants("function", &full_name)?;
    Ok(Json(json!({})))
}

pub(super) async fn versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
    QueryString(query): QueryString<Page>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_execute(&app, &caller)?;
    let most = match query.max_results.unwrap_or(0) {
        0 => VERSIONS_PER_PAGE,
        asked => asked.min(MOST_VERSIONS_PER_PAGE),
    };
    let token = query
        .page_token
        .as_deref()
        .filter(|token| !token.is_empty());
    let (versions, next) = registry::list_versions(&app, &full_name, most, token).await?;
    let mut body = json!({"model_versions": versions});
    if let Some(next) = next {
        body["next_page_token"] = next.into();
    }
    Ok(Json(body))
}

pub(super) async fn version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((full_name, version)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_execute(&app, &caller)?;
    registry::get_version(&app, &full_name, &version)
        .await
        .map(Json)
}

pub(super) async fn version_by_alias(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((full_name, alias)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_execute(&app, &caller)?;
    registry::get_version_by_alias(&app, &full_name, &alias)
        .await
        .map(Json)
}

pub(super) async fn update_version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((full_name, version)): Path<(String, String)>,
    JsonBody(changes): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_owner(&app, &caller)?;
    registry::update_version(&app, &full_name, &version, &changes)
        .await
        .map(Json)
}

#[derive(Deserialize)]
pub(super) struct SetAlias {
    version_num: u64,
}

pub(super) async fn set_alias(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((full_name, alias)): Path<(String, String)>,
    JsonBody(body): JsonBody<SetAlias>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_owner(&app, &caller)?;
    registry::set_alias(&app, &full_name, &alias, body.version_num)
        .await
        .map(Json)
}

pub(super) async fn delete_alias(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((full_name, alias)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_owner(&app, &caller)?;
    registry::delete_alias(&app, &full_name, &alias).await?;
    Ok(Json(json!({})))
}

pub(super) async fn delete_version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((full_name, version)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let full_name = names::full_name(&full_name);
    Model(&full_name).require_owner(&app, &caller)?;
    registry::delete_version(&app, &full_name, &version).await?;
    Ok(Json(json!({})))
}
