//! Registered models, stored in MLflow's registry.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{self, Model};
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::catalogs::names::{self, FullName};
use crate::catalogs::require_creation;
use crate::error::ApiError;
use crate::mlflow::registry::{self, NewModel};

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

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<CreateModel>) -> Reply {
    let model = NewModel {
        catalog: names::name("catalog", &body.catalog_name)?,
        schema: names::name("schema", &body.schema_name)?,
        name: names::name("registered model", &body.name)?,
        comment: body.comment,
    };
    require_creation(&call, "CREATE_MODEL", &model.catalog, &model.schema)?;
    registry::create_model(&call, model).await.map(Json)
}

pub(super) async fn show(call: Call, Path(full_name): Path<FullName>) -> Reply {
    Model(&full_name).require_execute(&call)?;
    registry::get_model(&call, &full_name).await.map(Json)
}

/// Catalog and schema; all by default.
#[derive(Deserialize)]
pub(super) struct Within {
    catalog_name: Option<FullName>,
    schema_name: Option<FullName>,
}

pub(super) async fn list(call: Call, QueryString(query): QueryString<Within>) -> Reply {
    let given = |name: Option<FullName>| name.filter(|name| !name.is_empty());
    let models = match (given(query.catalog_name), given(query.schema_name)) {
        (None, None) => registry::list_all_models(&call).await?,
        (Some(catalog), Some(schema)) => registry::list_models(&call, &catalog, &schema).await?,
        _ => {
            return Err(ApiError::invalid(
                "catalog_name and schema_name must be specified together",
            ));
        }
    };
    Ok(Json(
        json!({"registered_models": access::seen(&call, "function", models)?}),
    ))
}

pub(super) async fn update(
    call: Call,
    Path(full_name): Path<FullName>,
    JsonBody(changes): JsonBody<Value>,
) -> Reply {
    Model(&full_name).require_owner(&call)?;
    registry::update_model(&call, &full_name, &changes)
        .await
        .map(Json)
}

pub(super) async fn delete(call: Call, Path(full_name): Path<FullName>) -> Reply {
    Model(&full_name).require_owner(&call)?;
    registry::delete_model(&call, &full_name).await?;
    // Registered models are functions to the grants API.
    call.store.delete_grants("function", &full_name)?;
    Ok(Json(json!({})))
}

pub(super) async fn versions(
    call: Call,
    Path(full_name): Path<FullName>,
    QueryString(query): QueryString<Page>,
) -> Reply {
    Model(&full_name).require_execute(&call)?;
    let most = match query.max_results.unwrap_or(0) {
        0 => VERSIONS_PER_PAGE,
        asked => asked.min(MOST_VERSIONS_PER_PAGE),
    };
    let token = query
        .page_token
        .as_deref()
        .filter(|token| !token.is_empty());
    let (versions, next) = registry::list_versions(&call, &full_name, most, token).await?;
    let mut body = json!({"model_versions": versions});
    if let Some(next) = next {
        body["next_page_token"] = next.into();
    }
    Ok(Json(body))
}

pub(super) async fn version(
    call: Call,
    Path((full_name, version)): Path<(FullName, String)>,
) -> Reply {
    Model(&full_name).require_execute(&call)?;
    registry::get_version(&call, &full_name, &version)
        .await
        .map(Json)
}

pub(super) async fn version_by_alias(
    call: Call,
    Path((full_name, alias)): Path<(FullName, String)>,
) -> Reply {
    Model(&full_name).require_execute(&call)?;
    registry::get_version_by_alias(&call, &full_name, &alias)
        .await
        .map(Json)
}

pub(super) async fn update_version(
    call: Call,
    Path((full_name, version)): Path<(FullName, String)>,
    JsonBody(changes): JsonBody<Value>,
) -> Reply {
    Model(&full_name).require_owner(&call)?;
    registry::update_version(&call, &full_name, &version, &changes)
        .await
        .map(Json)
}

#[derive(Deserialize)]
pub(super) struct SetAlias {
    version_num: u64,
}

pub(super) async fn set_alias(
    call: Call,
    Path((full_name, alias)): Path<(FullName, String)>,
    JsonBody(body): JsonBody<SetAlias>,
) -> Reply {
    Model(&full_name).require_owner(&call)?;
    registry::set_alias(&call, &full_name, &alias, body.version_num)
        .await
        .map(Json)
}

pub(super) async fn delete_alias(
    call: Call,
    Path((full_name, alias)): Path<(FullName, String)>,
) -> Reply {
    Model(&full_name).require_owner(&call)?;
    registry::delete_alias(&call, &full_name, &alias).await?;
    Ok(Json(json!({})))
}

pub(super) async fn delete_version(
    call: Call,
    Path((full_name, version)): Path<(FullName, String)>,
) -> Reply {
    Model(&full_name).require_owner(&call)?;
    registry::delete_version(&call, &full_name, &version).await?;
    Ok(Json(json!({})))
}
