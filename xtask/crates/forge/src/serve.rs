//! Binds, serves, and ends cleanly.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

use crate::connection::{Connection, Door};
use crate::exchanges::Exchanges;
use crate::forge::Forge;
use crate::pull_requests::refresh_refs;
use crate::refusal::Refusal;
use crate::router;
use crate::state_dir::{StateDir, StateDirError};
use crate::store::{Store, StoreError};

/// How long open requests may take once the server was asked to end.
const DRAIN: Duration = Duration::from_secs(2);

/// Settings of one run of the server.
#[derive(Debug)]
pub struct Config {
    /// The folder of the forge, locked by us.
    pub state: StateDir,
    /// A Unix socket on which the forge answers as github.com and api.github.com, in plain http.
    pub socket: Option<Utf8PathBuf>,
    /// A file in which what goes over the wire is kept, without tokens.
    pub exchanges: Option<Utf8PathBuf>,
    /// End after this long without a request; `None` means never.
    pub idle: Option<Duration>,
}

/// Why a forge did not start, or ended badly.
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
    /// An address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address in question.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A repository cannot be read.
    #[error("the forge's repositories cannot be read: {0}")]
    Repositories(String),
    /// The system refused something that the server needs to run.
    #[error("cannot run the server: {0}")]
    Runtime(#[source] std::io::Error),
}

impl ServeError {
    /// Exit code of the program: 2 a taken port, 3 already running, 1 everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            ServeError::PortTaken { .. } => 2,
            ServeError::StateDir(StateDirError::AlreadyRunning) => 3,
            _ => 1,
        }
    }
}

impl From<Refusal> for ServeError {
    fn from(refusal: Refusal) -> ServeError {
        ServeError::Repositories(refusal.message)
    }
}

/// Listens on 127.0.0.1: on `port` if given, else on the port of last time, else on a free one, which is kept.
///
/// # Errors
/// When the port is taken, or cannot be opened.
pub async fn bind(state: &StateDir, port: Option<u16>) -> Result<TcpListener, ServeError> {
    let wanted = port.or_else(|| state.last_port()).unwrap_or(0);
    let refused = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::PortTaken { port: wanted },
        _ => ServeError::Listen {
            address: format!("127.0.0.1:{wanted}"),
            source,
        },
    };
    let listener = TcpListener::bind(("127.0.0.1", wanted))
        .await
        .map_err(refused)?;
    state.remember_port(listener.local_addr().map_err(ServeError::Runtime)?.port())?;
    Ok(listener)
}

/// Serves until `shutdown` resolves, somebody asks over HTTP, or nothing was asked for the idle time.
///
/// # Errors
/// When the state cannot be opened, or the system refuses.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let port = listener.local_addr().map_err(ServeError::Runtime)?.port();
    let socket = config.socket.as_deref().map(listen_on_socket).transpose()?;
    let store = Store::open(&config.state.path().join("forge.db"))?;
    let token = config.state.token()?;
    let exchanges = match &config.exchanges {
        Some(path) => Exchanges::in_file(path).map_err(ServeError::Runtime)?,
        None => Exchanges::default(),
    };
    let forge = Arc::new(Forge::new(config.state, port, token, store, exchanges)?);
    forge.change(|world| refresh_refs(world, &forge.git))?;
    forge.state.announce(&forge.url, port)?;
    tracing::info!(url = forge.url, "serving");

    let routes = router::entrance(forge.clone());
    let mut servers = JoinSet::new();
    let service = routes
        .clone()
        .into_make_service_with_connect_info::<Connection>();
    let stopped = stopped(forge.clone());
    servers.spawn(
        axum::serve(Door::tcp(listener), service)
            .with_graceful_shutdown(stopped)
            .into_future(),
    );
    if let Some(socket) = socket {
        let service = routes.into_make_service_with_connect_info::<Connection>();
        let stopped = self::stopped(forge.clone());
        servers.spawn(
            axum::serve(Door::unix(socket), service)
                .with_graceful_shutdown(stopped)
                .into_future(),
        );
    }
    tokio::select! {
        () = shutdown => tracing::info!("asked to end"),
        () = idle(&forge, config.idle) => tracing::info!("nothing was asked for a while: ending"),
        () = self::stopped(forge.clone()) => {}
    }
    forge.request_stop();
    // A client that keeps a request open does not keep the server.
    let _ = tokio::time::timeout(DRAIN, servers.join_all()).await;
    forge.state.withdraw();
    if let Some(path) = config.socket {
        // It may be gone already.
        let _ = std::fs::remove_file(path);
    }
    tracing::info!("ended");
    Ok(())
}

/// Resolves when somebody asked the server to end.
async fn stopped(forge: Arc<Forge>) {
    let mut receiver = forge.stop.subscribe();
    // The sender lives in `forge`, so waiting cannot fail.
    let _ = receiver.wait_for(|stop| *stop).await;
}

async fn idle(forge: &Forge, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep((limit / 20).clamp(Duration::from_millis(50), Duration::from_secs(15)))
            .await;
        if forge.record.idle() >= limit {
            return;
        }
    }
}

/// Only the owner reaches the socket: the program's umask sees to it.
fn listen_on_socket(path: &Utf8Path) -> Result<UnixListener, ServeError> {
    // One that a killed server left behind would be in the way; a live one cannot be ours, as we hold the lock.
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(|source| ServeError::Listen {
        address: path.to_string(),
        source,
    })
}
