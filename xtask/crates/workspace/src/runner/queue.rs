//! Waiting: of runs for their turn, and of others for the end of a run.

use std::sync::Arc;
use std::time::Duration;

use super::execution;
use crate::error::ApiError;
use crate::state::App;
use crate::store::{LifeCycle, ResultState, Run, RunState, StoreError};

/// How often a queued run looks whether it may begin.
const QUEUE_POLL: Duration = Duration::from_millis(200);

/// Starts a queued run once fewer than `limit` runs of its job are active.
pub(super) async fn wait_in_queue(app: Arc<App>, run_id: i64, limit: i64) {
    while !app.stop.is_requested() {
        tokio::time::sleep(QUEUE_POLL).await;
        match advance(&app, run_id, limit) {
            Ok(Queue::Waits) => {}
            Ok(Queue::Starts) => return execution::start(app, run_id),
            Ok(Queue::Left) => return,
            Err(error) => tracing::error!(run_id, %error, "cannot look at the queue"),
        }
    }
}

enum Queue {
    Waits,
    Starts,
    Left,
}

fn advance(app: &App, run_id: i64, limit: i64) -> Result<Queue, StoreError> {
    if app.store.leave_queue(run_id, limit)? {
        return Ok(Queue::Starts);
    }
    let waits = app
        .store
        .run(run_id)?
        .is_some_and(|run| run.state.life_cycle == LifeCycle::Queued);
    Ok(if waits { Queue::Waits } else { Queue::Left })
}

/// Asks for the end of a run, whether it is executed or waits in the queue; one that has ended is left alone.
pub(crate) fn cancel(app: &Arc<App>, run: &Run) -> Result<(), ApiError> {
    let state = RunState::ended(
        LifeCycle::Terminated,
        ResultState::Canceled,
        "cancelled while it was queued",
    );
    if run.end_time.is_none() && !app.store.cancel_queued(run.run_id, &state)? {
        app.runner.cancel(run.run_id);
    }
    Ok(())
}

/// Resolves when a run has ended, with its last state; `None` if it was deleted.
pub(crate) async fn wait_for_end(app: &App, run_id: i64) -> Result<Option<Run>, StoreError> {
    loop {
        let changed = app.runner.next_end();
        match app.store.run(run_id)? {
            Some(run) if run.end_time.is_none() => {}
            ended => return Ok(ended),
        }
        // A run that leaves the queue unexecuted ends without the runner's word.
        let _ = tokio::time::timeout(QUEUE_POLL, changed).await;
    }
}
