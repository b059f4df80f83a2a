//! The workspace model registry, in the calls that only Databricks has: the CLI deploys `resources.models` with them.
//! All other calls go to MLflow through the proxy.

use axum::Json;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use xtask_local_server::secret;

use super::client;
use super::unity_catalog::visible_tags;
use crate::call::{Call, JsonBody, QueryString, Reply, Routes};
use crate::caller::Caller;
use crate::error::ApiError;

pub(super) fn router() -> Routes {
    Routes::new()
        .route(
            "/api/2.0/mlflow/databricks/registered-models/get",
            get(model),
        )
        .route(
            "/api/2.0/mlflow/databricks/model-versions/transition-stage",
            post(transition),
        )
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// A model with the id that its permissions use.
async fn model(call: Call, QueryString(Named { name }): QueryString<Named>) -> Reply {
    require_admin(&call.caller)?;
    let reply = client::get(&call, "registered-models/get", &json!({"name": name})).await?;
    let model = &reply["registered_model"];
    let mut described = json!({
        "id": secret::fingerprint(&name)[..32],
        "name": model["name"],
        "description": model["description"].as_str().unwrap_or_default(),
        "creation_timestamp": model["creation_timestamp"],
        "last_updated_timestamp": model["last_updated_timestamp"],
        "user_id": call.caller.name(),
        "permission_level": "CAN_MANAGE",
        "tags": visible_tags(&model["tags"]),
    });
    if let Some(versions) = model["latest_versions"].as_array() {
        described["latest_versions"] = versions.clone().into();
    }
    Ok(Json(json!({"registered_model_databricks": described})))
}

/// MLflow's call of the same name.
async fn transition(call: Call, JsonBody(body): JsonBody<Value>) -> Reply {
    require_admin(&call.caller)?;
    let body = json!({
        "name": body["name"], "version": body["version"], "stage": body["stage"],
        "archive_existing_versions": body["archive_existing_versions"].as_bool().unwrap_or_default(),
    });
    let reply = client::post(&call, "model-versions/transition-stage", &body).await?;
    Ok(Json(
        json!({"model_version_databricks": reply["model_version"]}),
    ))
}

/// Like the proxy for MLflow's registry, which has no grants.
fn require_admin(caller: &Caller) -> Result<(), ApiError> {
    if caller.is_admin() {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "{} may access registered models through Unity Catalog only.",
        caller.name()
    )))
}
