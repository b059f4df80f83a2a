//! Executes one task; each kind has a module below.

mod code;
mod condition;
mod dependencies;
mod for_each;
mod process;
mod retries;
mod run_job;
mod work;

pub(super) use work::Task;

use crate::jobs::{Kind, NO_PIPELINES};
use crate::store::{ResultState, RunState};
use work::{Ending, TaskError};

/// The API's message for every failed task; the output has the details.
const FAILED: &str = "Workload failed, see run output for details";

impl Task {
    /// Executes the task once. When it returns, the output is stored.
    async fn run(&self) -> RunState {
        let declared = &self.task_run.settings;
        let ending = if declared.kind().is_some_and(Kind::is_process) {
            process::run(self).await
        } else if let Some(condition) = &declared.condition_task {
            condition::run(self, condition)
        } else if let Some(run_job) = &declared.run_job_task {
            run_job::run(self, run_job).await
        } else if let Some(for_each) = &declared.for_each_task {
            for_each::run(self, for_each).await
        } else {
            let key = &self.task_run.task_key;
            Err(TaskError::Declared(match declared.pipeline_task {
                Some(_) => format!("task '{key}' updates a pipeline: {NO_PIPELINES}"),
                None => format!("task '{key}' is of a kind that the local workspace does not run"),
            }))
        };
        ending.map_or_else(|error| self.broken_off(&error), state_after)
    }

    fn broken_off(&self, error: &TaskError) -> RunState {
        let message = error.to_string();
        if let Err(error) = self.fail_with(message.clone()) {
            tracing::error!(%error, "cannot keep a task's output");
        }
        RunState::broken(message)
    }
}

fn state_after(ending: Ending) -> RunState {
    let (result, message) = match ending {
        Ending::Success => (ResultState::Success, ""),
        Ending::Failed => (ResultState::Failed, FAILED),
        Ending::Timeout => (ResultState::TimedOut, "Run timed out."),
        Ending::Cancelled => (ResultState::Canceled, "Run canceled."),
    };
    RunState::terminated(result, message)
}
