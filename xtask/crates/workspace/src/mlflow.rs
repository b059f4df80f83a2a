//! MLflow behind the workspace: the supervisor of its server, the proxy in front of it, and the model registry.

pub mod registry;

use std::sync::Arc;

use axum::Router;
use serde::Serialize;

use crate::state::App;

/// What the supervisor keeps in memory between calls.
#[derive(Debug, Default)]
pub struct State {}

/// How MLflow is, as `GET /local/v1/status` reports it.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// `starting`, `ready` or `failed`.
    pub state: &'static str,
    /// Why it failed.
    pub message: Option<String>,
    /// Path of its log.
    pub log: String,
}

/// Starts the MLflow server in the background and returns at once.
pub fn spawn(_app: Arc<App>) {}

/// Ends MLflow's process group and waits until it is gone.
pub async fn shutdown(_app: Arc<App>) {}

/// How MLflow is now.
pub fn status(app: &App) -> Status {
    Status {
        state: "starting",
        message: None,
        log: app
            .config
            .state
            .path()
            .join("mlflow/server.log")
            .into_string(),
    }
}

/// Everything that MLflow answers: tracking, registry, artifacts, and its pages below `/mlflow/`.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
