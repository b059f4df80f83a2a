//! Retries of a task.

use tokio::time::sleep;

use super::work::Task;
use crate::runner::interruption::asked;
use crate::store::{ResultState, RunState, StoreError, TaskRun};

impl Task {
    /// Each attempt has a row of its own. Answers the last attempt, whose row is not closed yet, and its result.
    pub(in crate::runner) async fn with_retries(mut self) -> (TaskRun, RunState) {
        let mut done = 0;
        loop {
            let state = self.run().await;
            if !self.wants_retry(&state, done) {
                return (self.task_run, state);
            }
            let mut cancelled = self.cancelled.clone();
            tokio::select! {
                () = sleep(self.task_run.settings.retry_pause()) => {}
                () = asked(&mut cancelled) => return (self.task_run, state),
            }
            match self.next_attempt(&state) {
                Ok(Some(task_run)) => self.task_run = task_run,
                _ => return (self.task_run, state),
            }
            done += 1;
        }
    }

    fn wants_retry(&self, state: &RunState, done: i64) -> bool {
        let declared = &self.task_run.settings;
        let again = match state.result {
            Some(ResultState::Failed) => true,
            Some(ResultState::TimedOut) => declared.retry_on_timeout,
            _ => false,
        };
        again && (declared.max_retries < 0 || done < declared.max_retries)
    }

    fn next_attempt(&self, state: &RunState) -> Result<Option<TaskRun>, StoreError> {
        let store = &self.app.store;
        store.set_task_state(self.task_run.run_id, state)?;
        store.task_run(store.add_attempt(&self.task_run)?)
    }
}
