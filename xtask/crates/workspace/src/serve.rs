//! Binds, serves, and ends cleanly.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinError;

use crate::active_runs::ActiveRuns;
use crate::config::Config;
use crate::connections::{self, Limits};
use crate::files::Tree;
use crate::mlflow_state::MlflowState;
use crate::runner::schedules;
use crate::sign_in_codes::SignInCodes;
use crate::state::{Activity, App, VERSION};
use crate::state_dir::{ServerInfo, StateDir, StateDirError, create_private_dir};
use crate::store::{Store, StoreError};
use crate::{mlflow, python, routes};

/// How long open requests may take once the server was asked to end.
const DRAIN: Duration = Duration::from_secs(2);
/// Closed when a run was active while the previous process died.
const INTERRUPTED: &str = "the workspace ended while this run was active";

/// Why a workspace did not start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder cannot be used.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// Somebody else listens on the port.
    #[error(
        "port {port} on 127.0.0.1 is taken by another program; stop it, or name another port with --port"
    )]
    PortTaken {
        /// The port in question.
        port: u16,
    },
    /// The port cannot be opened for another reason.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port in question.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP client cannot be built.
    #[error("cannot set up the client that talks to MLflow: {0}")]
    Client(#[from] reqwest::Error),
    /// The system refused something that the server needs to run.
    #[error("cannot run the server: {0}")]
    Runtime(#[source] std::io::Error),
}

impl ServeError {
    /// Exit code of the program: 2 a taken port, 3 already running, 1 everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            ServeError::PortTaken { .. } => 2,
            ServeError::StateDir(StateDirError::AlreadyRunning { .. }) => 3,
            _ => 1,
        }
    }
}

/// Listens on 127.0.0.1: on `port` if given, else on the port of last time, else on a free one, which is kept.
pub async fn bind(state: &StateDir, port: Option<u16>) -> Result<TcpListener, ServeError> {
    let wanted = port.or_else(|| state.last_port()).unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", wanted))
        .await
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => ServeError::PortTaken { port: wanted },
            _ => ServeError::Listen {
                port: wanted,
                source,
            },
        })?;
    state.remember_port(listener.local_addr().map_err(ServeError::Runtime)?.port())?;
    Ok(listener)
}

/// Serves until `shutdown` resolves, somebody asks over HTTP, or nothing was asked for the idle time.
///
/// At return all jobs have ended, MLflow's processes are gone and `server.json` is removed.
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
            "closed runs that were active when the workspace last ended"
        );
    }
    // Before anybody is told where we are: the first request may start a run.
    python::install(&app).map_err(StateDirError::Io)?;
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
        () = app.clone().stopped() => None,
    };
    // Jobs that are being cancelled still talk to us: MLflow runs want to be closed.
    app.runner.shutdown().await;
    mlflow::shutdown(app.clone()).await;
    drop(hang_up);
    let outcome = match early {
        Some(outcome) => flatten(outcome),
        None => match tokio::time::timeout(DRAIN, &mut server).await {
            Ok(outcome) => flatten(outcome),
            // A client that keeps a request open does not keep the server.
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
    outcome
        .map_err(std::io::Error::other)
        .and_then(|served| served)
        .map_err(ServeError::Runtime)
}

fn open(listener: &TcpListener, config: Config) -> Result<Arc<App>, ServeError> {
    // A second installation fails, and then the first one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = listener.local_addr().map_err(ServeError::Runtime)?.port();
    let path = config.state.path().to_owned();
    let store = Store::open(&path.join("workspace.db"))?;
    let identity = store.identity()?;
    let user = store.principal_by_name(&identity.user_name)?;
    let workspace_files = tree(&path, "files")?;
    for folder in [format!("Users/{}", identity.user_name), "Shared".to_owned()] {
        create_private_dir(&path.join("files").join(folder)).map_err(ServeError::Runtime)?;
    }
    Ok(Arc::new(App {
        url: format!("http://127.0.0.1:{port}"),
        port,
        identity,
        user: Arc::new(
            user.ok_or(rusqlite::Error::QueryReturnedNoRows)
                .map_err(StoreError::from)?,
        ),
        token: config.state.token()?,
        workspace_files,
        volumes: tree(&path, "volumes")?,
        models: tree(&path, "models")?,
        artifacts: tree(&path, "mlflow/artifacts")?,
        http: reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .build()?,
        activity: Activity::starting_now(),
        sign_in_codes: SignInCodes::default(),
        runner: ActiveRuns::default(),
        mlflow: MlflowState::default(),
        started_at: Timestamp::now(),
        stop: watch::Sender::new(false),
        store,
        config,
    }))
}

/// Opens a tree, and removes what uploads of a process that died left on their way in.
fn tree(state: &Utf8Path, name: &str) -> Result<Tree, ServeError> {
    let incoming = state.join("incoming").join(name);
    match std::fs::remove_dir_all(&incoming) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(ServeError::Runtime(error));
        }
        _ => {}
    }
    Tree::open(&state.join(name), &incoming).map_err(ServeError::Runtime)
}

fn announcement(app: &App) -> ServerInfo {
    ServerInfo {
        version: VERSION.to_owned(),
        pid: std::process::id(),
        port: app.port,
        url: app.url.clone(),
        workspace_id: app.identity.workspace_id.clone(),
        started_at: app.started_at.to_string(),
    }
}

/// Asks the server to end when `shutdown` resolves or nothing happened for the configured time.
async fn stop_when(app: Arc<App>, shutdown: impl Future<Output = ()>) {
    tokio::select! {
        () = shutdown => tracing::info!("asked to end"),
        () = idle(&app) => tracing::info!("nothing was asked for a while: ending"),
        () = app.clone().stopped() => {}
    }
    app.request_stop();
}

/// Resolves once the workspace has been idle for its time; an active run counts as use.
async fn idle(app: &App) {
    let Some(limit) = app.config.idle else {
        return std::future::pending().await;
    };
    let pause = (limit / 20).clamp(Duration::from_millis(50), Duration::from_secs(15));
    loop {
        tokio::time::sleep(pause).await;
        match app.store.active_runs() {
            Ok(runs) if runs.is_empty() => {}
            _ => app.activity.touch(),
        }
        if app.activity.idle() >= limit {
            return;
        }
    }
}
