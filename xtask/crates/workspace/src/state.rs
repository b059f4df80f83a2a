//! What every request sees.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::auth::{Caller, Credential, SignInCodes};
use crate::config::Config;
use crate::files::Tree;
use crate::store::{Principal, Store};
use crate::{mlflow, runner, secret};

/// Version of this program, as it stands in replies and in `server.json`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The shared state of a workspace.
#[derive(Debug)]
pub struct App {
    /// How the server was started.
    pub config: Config,
    /// Base address without a trailing slash, `http://127.0.0.1:PORT`.
    pub url: String,
    /// The port we listen on.
    pub port: u16,
    /// The workspace, and its own user.
    pub identity: Identity,
    /// That user as an identity among others.
    pub user: Arc<Principal>,
    /// The personal access token.
    pub token: secret::Secret,
    /// The database.
    pub store: Store,
    /// The tree of workspace files (`/Users/…`, `/Shared/…`), confined to its folder.
    pub workspace_files: Tree,
    /// The volumes, `<catalog>/<schema>/<volume>/…`, confined to their folder.
    pub volumes: Tree,
    /// The files of model versions, `<catalog>/<schema>/<model>/<version>/…`, confined to their folder.
    pub models: Tree,
    /// The files of MLflow's runs and logged models, as its server keeps them, confined to their folder.
    pub artifacts: Tree,
    /// Client for the hop to MLflow: it uses no proxy.
    pub http: reqwest::Client,
    /// When somebody last asked for something.
    pub activity: Activity,
    /// Sign-in codes that were handed out and not used yet.
    pub sign_in_codes: SignInCodes,
    /// What the runner keeps in memory.
    pub runner: runner::State,
    /// What the MLflow supervisor keeps in memory.
    pub mlflow: mlflow::State,
    /// When the server started.
    pub started_at: Timestamp,
    pub(crate) stop: watch::Sender<bool>,
}

/// The user who started the workspace and may do everything in it, and the workspace's own id.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Id of the workspace, digits.
    pub workspace_id: String,
    /// Id of the user, 16 digits.
    pub user_id: String,
    /// Name of the user, an e-mail address.
    pub user_name: String,
}

impl Identity {
    /// Id of the account, which the workspace has to itself, too.
    pub fn account_id(&self) -> String {
        uuid_of(&format!("{:0<32}", self.workspace_id))
    }

    /// Id of the metastore, which the workspace has to itself.
    pub fn metastore_id(&self) -> String {
        uuid_of(&format!("{:0>32}", self.workspace_id))
    }
}

/// 32 digits in the form of a UUID.
fn uuid_of(digits: &str) -> String {
    let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

impl App {
    /// The workspace's own user, asking by `by`.
    pub fn owner(&self, by: Credential) -> Caller {
        Caller {
            who: self.user.clone(),
            by,
        }
    }

    /// Asks the server to end: running jobs are cancelled, MLflow is stopped.
    pub fn request_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether the server is about to end and takes no new work.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// The folder of one task run, `DIR/runs/<task_run_id>`; it need not exist yet.
    pub fn task_run_dir(&self, task_run_id: i64) -> Utf8PathBuf {
        self.config
            .state
            .path()
            .join("runs")
            .join(task_run_id.to_string())
    }

    /// The workspace's id and address.
    pub fn workspace(&self) -> (&str, &str) {
        (&self.identity.workspace_id, &self.url)
    }

    /// Address of a run's page, as the API reports it.
    pub fn run_page_url(&self, job_id: i64, run_id: i64) -> String {
        format!(
            "{}/jobs/{job_id}/runs/{run_id}?o={}",
            self.url, self.identity.workspace_id
        )
    }

    /// Resolves when somebody asked the server to end.
    pub async fn stopped(self: Arc<App>) {
        let mut receiver = self.stop.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|stop| *stop).await;
    }
}

/// Remembers when the workspace was last used, by a clock that nobody sets.
#[derive(Debug)]
pub struct Activity {
    begun: Instant,
    /// Milliseconds after that.
    last: AtomicU64,
}

impl Activity {
    /// Counts from now.
    pub fn starting_now() -> Activity {
        Activity {
            begun: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// Somebody asked for something.
    pub fn touch(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// Time since the last use.
    pub fn idle(&self) -> std::time::Duration {
        let last = self.last.load(Ordering::Relaxed);
        std::time::Duration::from_millis(self.now().saturating_sub(last))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Locks `mutex`; a thread that panicked while holding it does not take the server down.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
