//! In-memory state of MLflow's supervisor.

use std::sync::OnceLock;

use tokio::sync::watch;

#[derive(Debug)]
pub struct MlflowState {
    pub(crate) phase: watch::Sender<Phase>,
    /// HTTP client for MLflow's socket; set when the supervisor starts.
    pub(crate) client: OnceLock<reqwest::Client>,
    /// Requested after the last run has ended: a cancelled run still closes its MLflow run.
    pub(crate) stop: watch::Sender<bool>,
}

impl Default for MlflowState {
    fn default() -> MlflowState {
        MlflowState {
            phase: watch::Sender::new(Phase::Starting),
            client: OnceLock::new(),
            stop: watch::Sender::new(false),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// For the first time or again.
    Starting,
    Ready,
    /// The supervisor keeps trying, with longer pauses.
    Failed(String),
    /// The workspace is stopping.
    Stopped,
}
