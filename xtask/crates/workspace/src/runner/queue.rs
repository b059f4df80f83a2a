//! The queue of a job's runs, and waiting for the end of a run.

use std::sync::Arc;
use std::time::Duration;

use super::execution;
use crate::error::ApiError;
use crate::jobs::{JobSettings, Queue};
use crate::state::App;
use crate::store::{LifeCycle, ResultState, Run, RunState, StoreError};

/// How often a queued run checks whether it may begin.
const QUEUE_POLL: Duration = Duration::from_millis(200);

/// Decides whether a run begins at once, waits, or is skipped, by the limit of concurrent runs of its job. `queue`
/// overrides the job's own setting. The caller holds `admission` of the active runs until the run is stored, because
/// active runs are counted here.
pub(super) fn first_state(
    app: &App,
    job_id: i64,
    settings: &JobSettings,
    queue: Option<Queue>,
) -> Result<RunState, StoreError> {
    let limit = limit(settings);
    if app.store.begun_runs(job_id)? < limit {
        return Ok(RunState::active(LifeCycle::Pending));
    }
    if limit > 0 && queue.unwrap_or(settings.queue).enabled {
        return Ok(RunState::active(LifeCycle::Queued));
    }
    Ok(RunState::ended(
        LifeCycle::Skipped,
        ResultState::MaximumConcurrentRunsReached,
        format!("{limit} runs of this job are active, which is its limit of concurrent runs"),
    ))
}

fn limit(settings: &JobSettings) -> i64 {
    settings.max_concurrent_runs.unwrap_or(1)
}

/// Executes or queues a stored run, as its state says.
pub(super) fn hand_over(app: &Arc<App>, run: &Run) {
    match run.state.life_cycle {
        LifeCycle::Queued => {
            let limit = limit(&run.settings);
            drop(tokio::spawn(wait_in_queue(app.clone(), run.run_id, limit)));
        }
        LifeCycle::Pending => execution::start(app.clone(), run.run_id),
        _ => {}
    }
}

/// Starts the run once fewer than `limit` runs of its job are active.
async fn wait_in_queue(app: Arc<App>, run_id: i64, limit: i64) {
    while !app.stop.is_requested() {
        tokio::time::sleep(QUEUE_POLL).await;
        match advance(&app, run_id, limit) {
            Ok(Place::Waits) => {}
            Ok(Place::Starts) => return execution::start(app, run_id),
            Ok(Place::Left) => return,
            Err(error) => tracing::error!(run_id, %error, "cannot check the queue"),
        }
    }
}

enum Place {
    Waits,
    Starts,
    Left,
}

fn advance(app: &App, run_id: i64, limit: i64) -> Result<Place, StoreError> {
    if app.store.leave_queue(run_id, limit)? {
        return Ok(Place::Starts);
    }
    let waits = app
        .store
        .run(run_id)?
        .is_some_and(|run| run.state.life_cycle == LifeCycle::Queued);
    Ok(if waits { Place::Waits } else { Place::Left })
}

/// Cancels a run that is active or queued; does nothing if it has ended.
pub(crate) fn cancel(app: &Arc<App>, run: &Run) -> Result<(), ApiError> {
    let state = RunState::terminated(ResultState::Canceled, "cancelled while queued");
    if run.end_time.is_none() && !app.store.cancel_queued(run.run_id, &state)? {
        app.runner.cancel(run.run_id);
    }
    Ok(())
}

/// Answers the ended run; `None` if it was deleted.
pub(crate) async fn wait_for_end(app: &App, run_id: i64) -> Result<Option<Run>, StoreError> {
    loop {
        let changed = app.runner.next_end();
        match app.store.run(run_id)? {
            Some(run) if run.end_time.is_none() => {}
            ended => return Ok(ended),
        }
        // A run that is cancelled in the queue ends without a notice.
        let _ = tokio::time::timeout(QUEUE_POLL, changed).await;
    }
}
