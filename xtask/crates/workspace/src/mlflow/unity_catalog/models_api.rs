//! `/api/2.1/unity-catalog/models/{full_name}/…`: versions and aliases, as Unity Catalog's REST API shows them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::canonical_name;
use crate::error::ApiError;
use crate::mlflow::{client, registry};
use crate::state::App;

type Reply = Result<Json<Value>, ApiError>;

pub(super) fn router() -> Router<Arc<App>> {
    let at = |path: &str| format!("/api/2.1/unity-catalog/models/{{full_name}}/{path}");
    Router::new()
        .route(&at("versions"), get(list))
        .route(&at("versions/{version}"), get(show))
        .route(
            &at("aliases/{alias}"),
            put(set_alias).get(by_alias).delete(delete_alias),
        )
}

async fn list(State(app): State<Arc<App>>, Path(name): Path<String>) -> Reply {
    let versions = registry::list_versions(&app, &name).await?;
    Ok(Json(json!({"model_versions": versions})))
}

async fn show(State(app): State<Arc<App>>, Path((name, version)): Path<(String, String)>) -> Reply {
    registry::get_version(&app, &name, &version).await.map(Json)
}

async fn by_alias(
    State(app): State<Arc<App>>,
    Path((name, alias)): Path<(String, String)>,
) -> Reply {
    registry::get_version_by_alias(&app, &name, &alias)
        .await
        .map(Json)
}

async fn set_alias(
    State(app): State<Arc<App>>,
    Path((name, alias)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Reply {
    let number = body["version_num"]
        .as_i64()
        .ok_or_else(|| ApiError::invalid("version_num must be the number of a version"))?;
    let sent =
        json!({"name": canonical_name(&name)?, "alias": alias, "version": number.to_string()});
    client::post(&app, "registered-models/alias", &sent).await?;
    Ok(Json(json!({"alias_name": alias, "version_num": number})))
}

async fn delete_alias(
    State(app): State<Arc<App>>,
    Path((name, alias)): Path<(String, String)>,
) -> Reply {
    let sent = json!({"name": canonical_name(&name)?, "alias": alias});
    client::call(&app, Method::DELETE, "registered-models/alias", &sent).await?;
    Ok(Json(json!({})))
}
