//! Executes job runs.
//!
//! `jobs/run-now` stores a run and its tasks (tables `runs` and `task_runs`) and calls [`start`]; from then on the
//! rows are updated here and only read elsewhere.

use std::sync::Arc;

use crate::state::App;

/// What the runner keeps in memory between calls.
#[derive(Debug, Default)]
pub struct State {}

/// Starts the execution of a stored run and returns at once.
pub fn start(_app: Arc<App>, _run_id: i64) {}

/// Asks for the end of a run and returns at once; a run that has ended is left alone.
pub fn cancel(_app: Arc<App>, _run_id: i64) {}

/// Cancels every active run and waits until their processes are gone.
pub async fn shutdown(_app: Arc<App>) {}
