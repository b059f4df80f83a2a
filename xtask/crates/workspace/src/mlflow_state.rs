//! What the supervisor of MLflow's server keeps in memory.

use std::sync::OnceLock;

use tokio::sync::watch;

/// What the supervisor keeps in memory between calls.
#[derive(Debug)]
pub struct MlflowState {
    pub(crate) phase: watch::Sender<Phase>,
    /// Speaks HTTP over MLflow's socket; set when the supervisor starts.
    pub(crate) client: OnceLock<reqwest::Client>,
    /// Set when the workspace ends, after the last run: a run that is cancelled still closes its MLflow run.
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

/// Where the server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// On its way, for the first time or again.
    Starting,
    /// Answers.
    Ready,
    /// Does not come up; the supervisor goes on trying, more slowly.
    Failed(String),
    /// Ended, because the workspace ends.
    Stopped,
}
