//! Starts and stops the server.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::Map;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use xtask_local_server::serving::{DRAIN, ServeError};
use xtask_local_server::state_dir::{ServerInfo, StateDir};

use crate::connection::{Connection, Door};
use crate::exchanges::Exchanges;
use crate::forge::Forge;
use crate::pull_requests::refresh_refs;
use crate::refusal::Refusal;
use crate::router;
use crate::store::{Store, StoreError};

/// Folders in the state folder.
pub const PARTS: [&str; 2] = ["repositories", "logs"];

#[derive(Debug)]
pub struct Config {
    pub state: StateDir,
    /// Unix socket for github.com and api.github.com, in plain http.
    pub socket: Option<Utf8PathBuf>,
    /// Record of all requests and replies, without tokens.
    pub exchanges: Option<Utf8PathBuf>,
    /// Stop after this time without a request; `None` means never.
    pub idle: Option<Duration>,
}

impl From<Refusal> for ServeError {
    fn from(refusal: Refusal) -> ServeError {
        ServeError::State(format!("cannot read the repositories: {}", refusal.message))
    }
}

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> ServeError {
        ServeError::State(error.to_string())
    }
}

/// Serves until `shutdown` resolves, a client requests a stop, or no request came for long enough.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let port = listener.local_addr()?.port();
    let socket = config.socket.as_deref().map(listen_on_socket).transpose()?;
    let store = Store::open(&config.state.path().join("forge.db"))?;
    let token = config.state.token("forge_")?;
    let exchanges = match &config.exchanges {
        Some(path) => Exchanges::in_file(path)?,
        None => Exchanges::default(),
    };
    let forge = Arc::new(Forge::new(config.state, port, token, store, exchanges)?);
    forge.change(|world| refresh_refs(world, &forge.git))?;
    forge.state.announce(&announcement(&forge))?;
    tracing::info!(url = forge.url, "serving");

    let routes = router::router(forge.clone());
    let mut servers = JoinSet::new();
    let service = routes
        .clone()
        .into_make_service_with_connect_info::<Connection>();
    servers.spawn(
        axum::serve(Door::tcp(listener), service)
            .with_graceful_shutdown(forge.stop.requested())
            .into_future(),
    );
    if let Some(socket) = socket {
        let service = routes.into_make_service_with_connect_info::<Connection>();
        servers.spawn(
            axum::serve(Door::unix(socket), service)
                .with_graceful_shutdown(forge.stop.requested())
                .into_future(),
        );
    }
    let (stop, idle) = (&forge.stop, config.idle);
    stop.when(shutdown, idle, &forge.activity, || false).await;
    // A client with an open request does not delay the stop.
    let _ = tokio::time::timeout(DRAIN, servers.join_all()).await;
    forge.state.withdraw();
    if let Some(path) = config.socket {
        let _ = std::fs::remove_file(path);
    }
    tracing::info!("ended");
    Ok(())
}

fn announcement(forge: &Forge) -> ServerInfo {
    ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        port: forge.port,
        url: forge.url.clone(),
        started_at: Timestamp::now().to_string(),
        details: Map::new(),
    }
}

/// Closed to other users by the program's umask.
fn listen_on_socket(path: &Utf8Path) -> Result<UnixListener, ServeError> {
    // A socket left by a killed server would be in the way. No other server can use it, because we hold the lock.
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(|source| ServeError::Listen {
        address: path.to_string(),
        source,
    })
}
