//! Trying a task again.

use std::time::Duration;

use tokio::time::sleep;

use super::work::Task;
use crate::runner::graph::Node;
use crate::runner::interruption::asked;
use crate::store::{ResultState, RunState, StoreError, TaskRun};

/// What a task declares about further attempts.
#[derive(Debug, Clone, Copy)]
pub(in crate::runner) struct Retries {
    /// How many; below 0 without end.
    most: i64,
    pause: Duration,
    on_timeout: bool,
}

impl Retries {
    /// What the task's place in the job says.
    pub(in crate::runner) fn of(node: &Node) -> Retries {
        Retries {
            most: node.max_retries,
            pause: node.retry_pause,
            on_timeout: node.retry_on_timeout,
        }
    }

    fn wants(&self, state: &RunState, done: i64) -> bool {
        let again = match state.result {
            Some(ResultState::Failed) => true,
            Some(ResultState::TimedOut) => self.on_timeout,
            _ => false,
        };
        again && (self.most < 0 || done < self.most)
    }
}

impl Task {
    /// Runs the task as often as it allows; each attempt has a row of its own. Answers the last attempt, whose row
    /// is not closed yet, and how it ended.
    pub(in crate::runner) async fn with_retries(
        mut self,
        retries: &Retries,
    ) -> (TaskRun, RunState) {
        let mut done = 0;
        loop {
            let state = self.run().await;
            if !retries.wants(&state, done) {
                return (self.task_run, state);
            }
            let mut cancelled = self.cancelled.clone();
            tokio::select! {
                () = sleep(retries.pause) => {}
                () = asked(&mut cancelled) => return (self.task_run, state),
            }
            match self.next_attempt(&state) {
                Ok(Some(task_run)) => self.task_run = task_run,
                _ => return (self.task_run, state),
            }
            done += 1;
        }
    }

    fn next_attempt(&self, state: &RunState) -> Result<Option<TaskRun>, StoreError> {
        let store = &self.app.store;
        store.set_task_state(self.task_run.run_id, state)?;
        store.task_run(store.add_attempt(&self.task_run)?)
    }
}
