//! Runs one task. What all kinds share is here; each kind has a module below.

mod code;
mod condition;
mod dependencies;
mod for_each;
mod process;
mod retries;
mod run_job;
mod work;

pub(super) use code::code_path;
pub(super) use retries::Retries;
pub(super) use work::Task;

use crate::jobs::{Kind, NO_PIPELINES};
use crate::store::{LifeCycle, ResultState, RunState};
use work::{Ending, TaskError};

/// What the API says of every failing task; the output says more.
const FAILED: &str = "Workload failed, see run output for details";

impl Task {
    /// Runs the task once and answers how it ended. Its output is in the store by then.
    async fn run(&self) -> RunState {
        let ending = match Kind::of(&self.task_run.settings) {
            Some(Kind::Notebook | Kind::PythonFile | Kind::PythonWheel) => process::run(self).await,
            Some(Kind::Condition) => condition::run(self),
            Some(Kind::RunJob) => run_job::run(self).await,
            Some(Kind::ForEach) => for_each::run(self).await,
            Some(Kind::Pipeline) => Err(TaskError::Declared(format!(
                "task '{}' updates a pipeline: {NO_PIPELINES}",
                self.task_run.task_key
            ))),
            None => Err(TaskError::Declared(format!(
                "task '{}' is of a kind that the local workspace does not run",
                self.task_run.task_key
            ))),
        };
        ending.map_or_else(|error| self.broken_off(&error), state_after)
    }

    fn broken_off(&self, error: &TaskError) -> RunState {
        let message = error.to_string();
        if let Err(error) = self.fail_with(message.clone()) {
            tracing::error!(%error, "cannot keep a task's output");
        }
        RunState::ended(LifeCycle::InternalError, ResultState::Failed, message)
    }
}

fn state_after(ending: Ending) -> RunState {
    let (result, message) = match ending {
        Ending::Success => (ResultState::Success, ""),
        Ending::Failed => (ResultState::Failed, FAILED),
        Ending::Timeout => (ResultState::TimedOut, "Run timed out."),
        Ending::Cancelled => (ResultState::Canceled, "Run canceled."),
    };
    RunState::ended(LifeCycle::Terminated, result, message)
}
