//! The metastore assignment, and telemetry.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::call::JsonBody;
use crate::state::App;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/api/2.1/unity-catalog/current-metastore-assignment",
            get(metastore_assignment),
        )
        .route("/telemetry-ext", post(telemetry))
}

async fn metastore_assignment(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "metastore_id": app.identity.metastore_id(),
        "workspace_id": app.identity.workspace_id.parse::<i64>().unwrap_or_default(),
        "default_catalog_name": "main",
    }))
}

/// Drops the CLI's usage records.
async fn telemetry(JsonBody(body): JsonBody<Value>) -> Json<Value> {
    let records = ["protoLogs", "items"]
        .iter()
        .filter_map(|key| body[*key].as_array())
        .map(Vec::len)
        .sum::<usize>();
    Json(json!({"errors": null, "numProtoSuccess": records}))
}
