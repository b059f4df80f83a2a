//! MLflow runs left open by a task whose process was killed.

use std::time::Duration;

use serde_json::json;
use xtask_local_server::now_ms;

use super::client;
use crate::error::ApiError;
use crate::state::App;

/// How long the end of a task may wait for MLflow.
const LIMIT: Duration = Duration::from_secs(5);

/// Sets this status on those runs that are still `RUNNING`.
pub(crate) async fn close(app: &App, runs: &[String], status: &str) {
    for run in runs {
        match tokio::time::timeout(LIMIT, close_one(app, run, status)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(run, %error, "cannot close an MLflow run"),
            Err(_) => return tracing::warn!(run, "MLflow is too slow to close a run"),
        }
    }
}

async fn close_one(app: &App, run: &str, status: &str) -> Result<(), ApiError> {
    let found = client::get(app, "runs/get", &json!({ "run_id": run })).await?;
    if found["run"]["info"]["status"] == "RUNNING" {
        let body = json!({"run_id": run, "status": status, "end_time": now_ms()});
        client::post(app, "runs/update", &body).await?;
    }
    Ok(())
}
