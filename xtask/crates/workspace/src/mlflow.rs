//! MLflow behind the workspace: the supervisor of its server, the proxy in front of it, and the model registry.

pub(crate) mod abandoned;
mod allowed_calls;
mod artifact_roots;
mod client;
mod database_template;
mod experiments;
mod lineage;
mod proxy;
pub(crate) mod reading;
pub(crate) mod registry;
mod server;
mod unity_catalog;
mod workspace_registry;

pub(crate) use lineage::TASK_RUN_TAG;

use std::sync::Arc;

use serde::Serialize;

use crate::call::Routes;
use crate::mlflow_state::Phase;
use crate::state::App;

/// In the reply of `GET /local/v1/status`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Status {
    /// `starting`, `ready` or `failed`.
    pub state: &'static str,
    pub message: Option<String>,
    pub log: String,
}

pub(crate) fn spawn(app: Arc<App>) {
    tokio::spawn(server::supervise(app));
}

/// Ends MLflow's process group.
pub(crate) async fn shutdown(app: Arc<App>) {
    app.mlflow.stop.send_replace(true);
    let mut phase = app.mlflow.phase.subscribe();
    let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
}

pub(crate) fn status(app: &App) -> Status {
    let (state, message) = match &*app.mlflow.phase.borrow() {
        Phase::Starting => ("starting", None),
        Phase::Ready => ("ready", None),
        Phase::Failed(why) => ("failed", Some(why.clone())),
        Phase::Stopped => ("failed", Some("the workspace is stopping".to_owned())),
    };
    Status {
        state,
        message,
        log: server::log_path(app).into_string(),
    }
}

/// Tracking, registry, artifacts, and MLflow's pages below `/mlflow/`.
pub(crate) fn router() -> Routes {
    unity_catalog::router()
        .merge(workspace_registry::router())
        .merge(proxy::router())
}
