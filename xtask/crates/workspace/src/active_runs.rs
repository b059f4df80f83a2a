//! The runs that are being executed, in memory.

use std::sync::Mutex;

use tokio::sync::watch;
use xtask_local_server::lock;

use crate::redaction::Redaction;

#[derive(Debug, Default)]
pub struct ActiveRuns {
    active: Mutex<Vec<Active>>,
    /// Held from the decision where a run begins until it is stored: each counts the runs of its job.
    pub(crate) admission: Mutex<()>,
    /// Secret values to be removed from the output of runs.
    pub(crate) redaction: Redaction,
    /// Changes whenever a run ends.
    ended: watch::Sender<u64>,
}

/// A run that is being executed, in the order in which they were started.
#[derive(Debug)]
struct Active {
    run_id: i64,
    cancel: watch::Sender<bool>,
}

impl ActiveRuns {
    pub(crate) fn begins(&self, run_id: i64) -> watch::Receiver<bool> {
        let cancel = watch::Sender::new(false);
        let cancelled = cancel.subscribe();
        lock(&self.active).push(Active { run_id, cancel });
        cancelled
    }

    pub(crate) fn has_ended(&self, run_id: i64) {
        lock(&self.active).retain(|active| active.run_id != run_id);
        self.redaction.forget(run_id);
        self.ended.send_modify(|count| *count += 1);
    }

    /// Returns at once; does nothing if the run has ended.
    pub(crate) fn cancel(&self, run_id: i64) {
        for active in lock(&self.active)
            .iter()
            .filter(|active| active.run_id == run_id)
        {
            active.cancel.send_replace(true);
        }
    }

    /// Cancels every active run and waits until their processes are gone.
    pub(crate) async fn shutdown(&self) {
        let mut ended = self.ended.subscribe();
        for active in lock(&self.active).iter() {
            active.cancel.send_replace(true);
        }
        while !lock(&self.active).is_empty() {
            if ended.changed().await.is_err() {
                return;
            }
        }
    }

    /// Resolves when the next run ends.
    pub(crate) fn next_end(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.subscribe();
        async move {
            // The sender lives as long as the workspace.
            let _ = ended.changed().await;
        }
    }
}
