//! Starts and stops the server.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;
use serde_json::Map;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use xtask_local_server::serving::{Activity, DRAIN, ServeError, Stop};
use xtask_local_server::sign_in::Tickets;
use xtask_local_server::state_dir::{ServerInfo, create_private_dir};

use crate::active_runs::ActiveRuns;
use crate::config::Config;
use crate::connections::{self, Limits};
use crate::files::Tree;
use crate::mlflow_state::MlflowState;
use crate::runner::schedules;
use crate::state::{App, VERSION};
use crate::store::{Store, StoreError};
use crate::{mlflow, python, routes};

/// Message of runs that were active when the previous process died.
const INTERRUPTED: &str = "the workspace stopped while this run was active";

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> ServeError {
        ServeError::State(error.to_string())
    }
}

/// Serves until `shutdown` resolves, a client requests a stop, or the workspace was idle for long enough. When it
/// returns, all runs have ended and MLflow's processes are gone.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let app = open(&listener, config)?;
    let closed = app.store.close_interrupted_runs(INTERRUPTED)?;
    if closed > 0 {
        tracing::warn!(
            closed,
            "closed runs that were active when the workspace last stopped"
        );
    }
    // Before clients learn the address: the first request may start a run.
    python::install(&app)?;
    mlflow::spawn(app.clone());
    app.config.state.announce(&announcement(&app))?;
    tracing::info!(url = app.url, "serving");

    let (hang_up, hung_up) = oneshot::channel::<()>();
    let mut server = tokio::spawn(connections::serve(
        listener,
        routes::router(app.clone()),
        Limits::default(),
        async { drop(hung_up.await) },
    ));
    tokio::spawn(stop_when(app.clone(), shutdown));
    tokio::spawn(schedules::watch(app.clone()));
    let early = tokio::select! {
        outcome = &mut server => Some(outcome),
        () = app.stop.requested() => None,
    };
    // Cancelled jobs still call us to close their MLflow runs.
    app.runner.shutdown().await;
    mlflow::shutdown(app.clone()).await;
    drop(hang_up);
    let outcome = match early {
        Some(outcome) => flatten(outcome),
        None => match tokio::time::timeout(DRAIN, &mut server).await {
            Ok(outcome) => flatten(outcome),
            // A client with an open request does not delay the stop.
            Err(_) => {
                server.abort();
                Ok(())
            }
        },
    };
    app.config.state.withdraw();
    tracing::info!("ended");
    outcome
}

fn flatten(outcome: Result<std::io::Result<()>, JoinError>) -> Result<(), ServeError> {
    Ok(outcome.map_err(std::io::Error::other)??)
}

fn open(listener: &TcpListener, config: Config) -> Result<Arc<App>, ServeError> {
    // A second installation fails; the first one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = listener.local_addr()?.port();
    let path = config.state.path().to_owned();
    let store = Store::open(&path.join("workspace.db"))?;
    let identity = store.identity()?;
    let user = store.principal_by_name(&identity.user_name)?;
    let workspace_files = tree(&path, "files")?;
    for folder in [format!("Users/{}", identity.user_name), "Shared".to_owned()] {
        create_private_dir(&path.join("files").join(folder))?;
    }
    Ok(Arc::new(App {
        url: format!("http://127.0.0.1:{port}"),
        port,
        identity,
        user: Arc::new(user.ok_or_else(|| StoreError::from(rusqlite::Error::QueryReturnedNoRows))?),
        token: config.state.token("dapi")?,
        workspace_files,
        volumes: tree(&path, "volumes")?,
        models: tree(&path, "models")?,
        artifacts: tree(&path, "mlflow/artifacts")?,
        http: reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .build()
            .map_err(std::io::Error::other)?,
        activity: Activity::default(),
        sign_in_links: Tickets::default(),
        runner: ActiveRuns::default(),
        mlflow: MlflowState::default(),
        started_at: Timestamp::now(),
        stop: Stop::default(),
        store,
        config,
    }))
}

/// Also deletes incomplete uploads of a process that died.
fn tree(state: &Utf8Path, name: &str) -> Result<Tree, ServeError> {
    let incoming = state.join("incoming").join(name);
    match std::fs::remove_dir_all(&incoming) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error.into());
        }
        _ => {}
    }
    Ok(Tree::open(&state.join(name), &incoming)?)
}

fn announcement(app: &App) -> ServerInfo {
    let id = app.identity.workspace_id.clone();
    ServerInfo {
        version: VERSION.to_owned(),
        pid: std::process::id(),
        port: app.port,
        url: app.url.clone(),
        started_at: app.started_at.to_string(),
        details: Map::from_iter([("workspace_id".to_owned(), id.into())]),
    }
}

/// Requests a stop when `shutdown` resolves or the workspace is idle; an active run counts as use.
async fn stop_when(app: Arc<App>, shutdown: impl Future<Output = ()>) {
    let is_busy = || !app.store.active_runs().is_ok_and(|runs| runs.is_empty());
    let (stop, idle) = (&app.stop, app.config.idle);
    stop.when(shutdown, idle, &app.activity, is_busy).await;
}
