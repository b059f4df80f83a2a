//! A task to be executed, and its result.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::call::Call;
use crate::error::ApiError;
use crate::runner::kernel::Kernels;
use crate::runner::parameters;
use crate::state::App;
use crate::store::{Run, StoreError, TaskOutput, TaskRun};

#[derive(Debug, Clone)]
pub(in crate::runner) struct Task {
    pub app: Arc<App>,
    pub kernels: Arc<Kernels>,
    pub run: Arc<Run>,
    pub task_run: TaskRun,
    pub cancelled: watch::Receiver<bool>,
}

/// Why a task did not start.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    Failed,
    Timeout,
    Cancelled,
}

impl Task {
    pub(super) fn fail_with(&self, message: String) -> Result<(), StoreError> {
        let output = TaskOutput {
            error: Some(message),
            ..TaskOutput::default()
        };
        self.app
            .store
            .set_task_output(self.task_run.run_id, &output)
    }

    /// Stores the start and the parameters.
    pub(super) fn begin(&self, parameters: &Value) -> Result<(), StoreError> {
        self.app.store.start_task(self.task_run.run_id, parameters)
    }

    /// The workspace, as the identity that the task acts as.
    pub(super) fn call(&self) -> Result<Call, TaskError> {
        let caller = self.app.caller_of_run(&self.run.run_as, self.run.run_id)?;
        let app = self.app.clone();
        caller.map(|caller| Call { app, caller }).ok_or_else(|| {
            self.declared_wrong(format!(
                "the run acts as '{}', which is not active",
                self.run.run_as
            ))
        })
    }

    pub(super) fn declared_wrong(&self, why: impl std::fmt::Display) -> TaskError {
        TaskError::Declared(format!("task '{}': {why}", self.task_run.task_key))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let timeout = self.task_run.settings.timeout();
        timeout.map(|timeout| Instant::now() + timeout)
    }

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
