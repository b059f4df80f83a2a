//! Runs one task. What all kinds share is here; each kind has a module below.

mod code;
mod condition;
mod dependencies;
mod for_each;
mod process;
mod retries;
mod run_job;

pub(super) use code::code_path;
pub(super) use retries::Retries;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::kernel::Kernels;
use super::parameters;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::jobs::{Kind, NO_PIPELINES};
use crate::state::App;
use crate::store::{LifeCycle, ResultState, Run, RunState, StoreError, TaskOutput, TaskRun};

/// What the API says of every failing task; the output says more.
const FAILED: &str = "Workload failed, see run output for details";

/// A task run and what it needs.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub app: Arc<App>,
    pub kernels: Arc<Kernels>,
    pub run: Arc<Run>,
    pub task_run: TaskRun,
    pub timeout: Option<Duration>,
    pub cancelled: watch::Receiver<bool>,
}

/// Why a task did not get as far as its work.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error("{0}")]
    Declared(String),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("cannot run the task's process: {0}")]
    Process(#[from] std::io::Error),
}

impl From<ApiError> for TaskError {
    fn from(error: ApiError) -> TaskError {
        TaskError::Declared(error.message)
    }
}

/// How a task's work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    Success,
    Failed,
    Timeout,
    Cancelled,
}

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

    /// Keeps one line of why the task failed.
    fn fail_with(&self, message: String) -> Result<(), StoreError> {
        let output = TaskOutput {
            error: Some(message),
            ..TaskOutput::default()
        };
        self.app
            .store
            .set_task_output(self.task_run.run_id, &output)
    }

    /// Notes that the task has begun, with the parameters that it got.
    fn begin(&self, parameters: &Value) -> Result<(), StoreError> {
        self.app.store.start_task(self.task_run.run_id, parameters)
    }

    /// As whom the task acts: what the workspace does for it is asked of this identity.
    fn caller(&self) -> Result<Caller, TaskError> {
        let caller = Caller::of_run(&self.app, &self.run.run_as, self.run.run_id)?;
        caller.ok_or_else(|| {
            self.declared_wrong(format!(
                "the run acts as '{}', which is not active",
                self.run.run_as
            ))
        })
    }

    fn declared_wrong(&self, why: impl std::fmt::Display) -> TaskError {
        TaskError::Declared(format!("task '{}': {why}", self.task_run.task_key))
    }

    /// When the task has taken too long.
    fn deadline(&self) -> Option<Instant> {
        self.timeout.map(|timeout| Instant::now() + timeout)
    }

    /// Fills in what `resolve` looks at.
    fn resolve<T>(
        &self,
        resolve: impl FnOnce(&parameters::Context<'_>) -> Result<T, String>,
    ) -> Result<T, TaskError> {
        let app = &self.app;
        let context = parameters::Context {
            run: &self.run,
            task: Some(&self.task_run),
            tasks: &app.store.task_runs(self.run.run_id)?,
            values: &app.store.task_values(self.run.run_id)?,
            workspace: app.workspace(),
        };
        resolve(&context).map_err(|error| self.declared_wrong(error))
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
