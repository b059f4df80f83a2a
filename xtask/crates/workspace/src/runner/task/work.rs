//! What a task is given to do, and how that ends.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::runner::kernel::Kernels;
use crate::runner::parameters;
use crate::state::App;
use crate::store::{Run, StoreError, TaskOutput, TaskRun};

/// A task run and what it needs.
#[derive(Debug, Clone)]
pub(in crate::runner) struct Task {
    pub app: Arc<App>,
    pub kernels: Arc<Kernels>,
    pub run: Arc<Run>,
    pub task_run: TaskRun,
    pub cancelled: watch::Receiver<bool>,
}

/// Why a task did not get as far as its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum TaskError {
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
pub(super) enum Ending {
    Success,
    Failed,
    Timeout,
    Cancelled,
}

impl Task {
    /// Keeps one line of why the task failed.
    pub(super) fn fail_with(&self, message: String) -> Result<(), StoreError> {
        let output = TaskOutput {
            error: Some(message),
            ..TaskOutput::default()
        };
        self.app
            .store
            .set_task_output(self.task_run.run_id, &output)
    }

    /// Notes that the task has begun, with the parameters that it got.
    pub(super) fn begin(&self, parameters: &Value) -> Result<(), StoreError> {
        self.app.store.start_task(self.task_run.run_id, parameters)
    }

    /// As whom the task acts: what the workspace does for it is asked of this identity.
    pub(super) fn caller(&self) -> Result<Caller, TaskError> {
        let caller = self.app.caller_of_run(&self.run.run_as, self.run.run_id)?;
        caller.ok_or_else(|| {
            self.declared_wrong(format!(
                "the run acts as '{}', which is not active",
                self.run.run_as
            ))
        })
    }

    pub(super) fn declared_wrong(&self, why: impl std::fmt::Display) -> TaskError {
        TaskError::Declared(format!("task '{}': {why}", self.task_run.task_key))
    }

    /// When the task has taken too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let timeout = self.task_run.settings.timeout();
        timeout.map(|timeout| Instant::now() + timeout)
    }

    /// Fills in what `resolve` looks at.
    pub(super) fn resolve<T>(
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
