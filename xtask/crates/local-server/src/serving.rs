//! Listening on loopback, and stopping: on a signal, on request, or after a time without use.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::state_dir::{StateDir, StateDirError};

/// How long open requests may take once the server stops.
pub const DRAIN: Duration = Duration::from_secs(2);

/// Why a server did not start, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    #[error(
        "port {port} on 127.0.0.1 is used by another program; stop it, or choose another port with --port"
    )]
    PortTaken { port: u16 },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: String, source: io::Error },
    #[error("cannot run the server: {0}")]
    Runtime(#[from] io::Error),
    /// What one kind of server needs besides: its database, its repositories, ….
    #[error("{0}")]
    State(String),
}

impl ServeError {
    /// 2: the port is taken; 3: already running; 1: anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            ServeError::PortTaken { .. } => 2,
            ServeError::StateDir(StateDirError::AlreadyRunning { .. }) => 3,
            _ => 1,
        }
    }
}

/// Listens on 127.0.0.1: on `port`, or the port of the previous start, or a free one, which is kept.
pub async fn bind(state: &StateDir, port: Option<u16>) -> Result<TcpListener, ServeError> {
    let port = port.or_else(|| state.last_port()).unwrap_or(0);
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortTaken { port },
        _ => ServeError::Listen {
            address: format!("127.0.0.1:{port}"),
            source,
        },
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(refused)?;
    state.remember_port(listener.local_addr()?.port())?;
    Ok(listener)
}

/// Tells all parts of a server to stop.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Stop {
        Stop(watch::Sender::new(false))
    }
}

impl Stop {
    /// Asks the server to stop.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked to stop.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once it was asked to stop.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.subscribe();
        async move {
            // An error means that the server is gone.
            let _ = receiver.wait_for(|stop| *stop).await;
        }
    }

    /// Requests the stop when `shutdown` resolves, or after the time `idle` without use. Returns once a stop is requested.
    pub async fn when(
        &self,
        shutdown: impl Future<Output = ()>,
        idle: Option<Duration>,
        activity: &Activity,
        is_busy: impl Fn() -> bool,
    ) {
        tokio::select! {
            () = shutdown => tracing::info!("received a signal: stopping"),
            () = activity.idle_for(idle, is_busy) => tracing::info!("idle: stopping"),
            () = self.requested() => {}
        }
        self.request();
    }
}

/// When the server was last used, by a clock that cannot be set.
#[derive(Debug)]
pub struct Activity {
    begun: Instant,
    /// Milliseconds after `begun`.
    last: AtomicU64,
}

impl Default for Activity {
    fn default() -> Activity {
        Activity {
            begun: Instant::now(),
            last: AtomicU64::new(0),
        }
    }
}

impl Activity {
    /// Counts as use.
    pub fn touch(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// Time since the last use.
    pub fn idle(&self) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        Duration::from_millis(self.now().saturating_sub(last))
    }

    /// Resolves after the time `limit` without use, `None` never; being busy counts as use.
    async fn idle_for(&self, limit: Option<Duration>, is_busy: impl Fn() -> bool) {
        let Some(limit) = limit else {
            return std::future::pending().await;
        };
        let pause = (limit / 20).clamp(Duration::from_millis(50), Duration::from_secs(15));
        loop {
            tokio::time::sleep(pause).await;
            if is_busy() {
                self.touch();
            }
            if self.idle() >= limit {
                return;
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
