//! Executes job runs.
//!
//! `jobs/run-now` stores a run and its tasks (tables `runs` and `task_runs`) and calls [`start`]; from then on the
//! rows are updated here and only read elsewhere.
//!
//! - `execution` takes a run from its first task to its last and decides how it ended.
//! - `graph` knows which task waits for which, and what a task's end means for those after it.
//! - `parameters` knows what a task is given, and `references` what `{{…}}` in it stands for.
//! - `task` runs one task, each kind in a module of its own; those that run code ask `kernel` for a process, hand it
//!   the work, and read what it left (`outcome`), without the `secrets` that the run has read.

mod execution;
mod graph;
mod kernel;
pub(crate) mod outcome;
mod parameters;
mod references;
mod secrets;
mod task;

pub(crate) use parameters::of_run as job_parameters;

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::state::{App, lock};

/// What the runner keeps in memory between calls.
#[derive(Debug, Default)]
pub struct State {
    active: Mutex<Vec<Active>>,
    /// Values that must not appear in what runs leave behind.
    pub(crate) secrets_read: secrets::SecretsRead,
    /// Changes whenever a run ends.
    ended: watch::Sender<u64>,
}

/// A run that is being executed, in the order in which they were started.
#[derive(Debug)]
struct Active {
    run_id: i64,
    job_id: i64,
    cancel: watch::Sender<bool>,
}

/// Starts the execution of a stored run and returns at once.
pub fn start(app: Arc<App>, run_id: i64) {
    let job_id = match app.store.run(run_id) {
        Ok(Some(run)) => run.job_id,
        Ok(None) => return tracing::error!(run_id, "there is no such run to start"),
        Err(error) => return tracing::error!(run_id, %error, "cannot start a run"),
    };
    let cancel = watch::Sender::new(false);
    let cancelled = cancel.subscribe();
    lock(&app.runner.active).push(Active {
        run_id,
        job_id,
        cancel,
    });
    tokio::spawn(async move {
        execution::execute(&app, run_id, cancelled).await;
        lock(&app.runner.active).retain(|active| active.run_id != run_id);
        app.runner.secrets_read.forget(run_id);
        app.runner.ended.send_modify(|count| *count += 1);
        app.activity.touch();
    });
}

/// Asks for the end of a run and returns at once; a run that has ended is left alone.
pub fn cancel(app: Arc<App>, run_id: i64) {
    for active in lock(&app.runner.active)
        .iter()
        .filter(|active| active.run_id == run_id)
    {
        active.cancel.send_replace(true);
    }
}

/// Cancels every active run and waits until their processes are gone.
pub async fn shutdown(app: Arc<App>) {
    let mut ended = app.runner.ended.subscribe();
    for active in lock(&app.runner.active).iter() {
        active.cancel.send_replace(true);
    }
    while !lock(&app.runner.active).is_empty() {
        if ended.changed().await.is_err() {
            return;
        }
    }
}

impl State {
    /// Resolves when some run has ended after this call.
    pub(crate) fn next_end(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.subscribe();
        async move {
            // The sender lives as long as the workspace.
            let _ = ended.changed().await;
        }
    }

    /// How many runs of the same job were started before this one and have not ended.
    fn ahead_of(&self, run_id: i64, job_id: i64) -> usize {
        lock(&self.active)
            .iter()
            .take_while(|active| active.run_id != run_id)
            .filter(|active| active.job_id == job_id)
            .count()
    }
}
