//! Runs one task: finds its notebook, fills in its parameters, sees its process through, keeps what it left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::kernel::{self, Exit, Kernel, Kernels};
use super::{outcome, parameters};
use crate::files::RelativePath;
use crate::state::App;
use crate::state_dir::create_private_dir;
use crate::store::{LifeCycle, ResultState, Run, RunState, StoreError, TaskOutput, TaskRun};

/// Bytes of the process's own log that go into a report on its death.
const LOG_TAIL: usize = 4000;
/// What the API says of every failing notebook; the output says more.
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

/// Why a task did not get as far as its notebook, or was stopped.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error("{0}")]
    Declared(String),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("cannot run the notebook's process: {0}")]
    Process(#[from] std::io::Error),
}

/// How the notebook's process ended, or why it was ended.
enum Stop {
    Exit(Exit),
    Timeout,
    Cancelled,
}

impl Task {
    /// Runs the task and answers how it ended. Its output is in the store by then.
    pub(super) async fn run(self) -> RunState {
        let result = self.attempt().await;
        result.unwrap_or_else(|error| {
            let output = TaskOutput {
                error: Some(error.to_string()),
                ..TaskOutput::default()
            };
            if let Err(error) = self
                .app
                .store
                .set_task_output(self.task_run.run_id, &output)
            {
                tracing::error!(%error, "cannot keep a task's output");
            }
            RunState::ended(
                LifeCycle::InternalError,
                ResultState::Failed,
                error.to_string(),
            )
        })
    }

    async fn attempt(&self) -> Result<RunState, TaskError> {
        let (notebook, file) = self.notebook()?;
        let parameters = self.parameters()?;
        let folder = self.app.task_run_dir(self.task_run.run_id);
        create_private_dir(&folder)?;
        self.app
            .store
            .start_task(self.task_run.run_id, &parameters)?;
        let mut request = self.request(&notebook, &file, &parameters)?;
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let stop = loop {
            let mut process = self.kernels.take()?;
            process.send(&request).await?;
            self.app
                .store
                .mark_execution_started(self.task_run.run_id)?;
            match self.see_through(&mut process, deadline).await? {
                Stop::Exit(Exit::Restart) => self.go_on_after_restart(&mut request)?,
                stop => break stop,
            }
        };
        self.keep_task_values()?;
        let output = self.output(&stop);
        self.app
            .store
            .set_task_output(self.task_run.run_id, &output)?;
        Ok(state_after(&stop))
    }

    async fn see_through(
        &self,
        process: &mut Kernel,
        deadline: Option<Instant>,
    ) -> std::io::Result<Stop> {
        let mut cancelled = self.cancelled.clone();
        let stop = tokio::select! {
            exit = process.finish() => Stop::Exit(exit?),
            () = until(deadline) => Stop::Timeout,
            () = super::execution::asked(&mut cancelled) => Stop::Cancelled,
        };
        if !matches!(stop, Stop::Exit(_)) {
            process.end().await;
        }
        Ok(stop)
    }

    /// The notebook's workspace path, and the file behind it.
    fn notebook(&self) -> Result<(String, Utf8PathBuf), TaskError> {
        let key = &self.task_run.task_key;
        let Some(path) = self.task_run.settings["notebook_task"]["notebook_path"].as_str() else {
            let known = [
                "task_key",
                "depends_on",
                "libraries",
                "job_cluster_key",
                "environment_key",
            ];
            let fields = self.task_run.settings.as_object();
            let kind = fields
                .into_iter()
                .flat_map(Map::keys)
                .find(|name| name.ends_with("_task") && !known.contains(&name.as_str()));
            return Err(TaskError::Declared(format!(
                "task '{key}' is a {}; the local workspace runs notebook tasks",
                kind.map_or("task of an unknown kind", String::as_str)
            )));
        };
        let inside = path
            .strip_prefix("/Workspace")
            .unwrap_or(path)
            .trim_start_matches('/');
        let inside = inside.strip_suffix(".py").unwrap_or(inside);
        let tree = &self.app.workspace_files;
        let file = [inside.to_owned(), format!("{inside}.py")]
            .into_iter()
            .find(|name| {
                let path = RelativePath::parse(name).ok();
                let data = path.and_then(|path| tree.metadata(&path).ok().flatten());
                data.is_some_and(|data| data.is_file())
            });
        match file {
            Some(name) => Ok((format!("/Workspace/{inside}"), tree.root().join(name))),
            None => Err(TaskError::Declared(format!(
                "task '{key}': there is no notebook at {path} in the workspace; was the bundle deployed?"
            ))),
        }
    }

    fn parameters(&self) -> Result<BTreeMap<String, String>, TaskError> {
        let app = &self.app;
        let context = parameters::Context {
            run: &self.run,
            task: &self.task_run,
            tasks: &app.store.task_runs(self.run.run_id)?,
            values: &app.store.task_values(self.run.run_id)?,
            workspace: (&app.identity.workspace_id, &app.url),
        };
        parameters::for_notebook(&context).map_err(|error| {
            TaskError::Declared(format!("task '{}': {error}", self.task_run.task_key))
        })
    }

    /// What the kernel is asked to do; see `notebook_kernel/request.py`.
    fn request(
        &self,
        notebook: &str,
        file: &Utf8PathBuf,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Value, TaskError> {
        let (app, run, task) = (&self.app, &self.run, &self.task_run);
        let folder = app.task_run_dir(task.run_id);
        let notebook_id = notebook_id(app, notebook)?;
        let mut values: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for done in app
            .store
            .task_runs(run.run_id)?
            .iter()
            .filter(|task| task.end_time.is_some())
        {
            values.entry(done.task_key.clone()).or_default();
        }
        for (key, name, value) in app.store.task_values(run.run_id)? {
            values.entry(key).or_default().insert(name, value);
        }
        Ok(json!({
            "notebook": notebook, "source_file": file, "folder": folder, "events": folder.join("events.jsonl"),
            "imports_file": kernel::imports_file(app, notebook_id),
            "roots": {"/Workspace": app.workspace_files.root(), "/Volumes": app.volumes.root()},
            "parameters": parameters, "task_values": values, "start_cell": 0, "widgets": {},
            "identity": {
                "host": app.url, "workspace_id": app.identity.workspace_id, "user": app.identity.user_name,
                "job_id": run.job_id.to_string(), "job_name": run.run_name, "run_id": run.run_id.to_string(),
                "task_run_id": task.run_id.to_string(), "task_key": task.task_key,
                "notebook_id": notebook_id.to_string(),
            },
        }))
    }

    /// `restartPython`: the next process starts at the next cell, and knows the widgets.
    fn go_on_after_restart(&self, request: &mut Value) -> Result<(), TaskError> {
        let path = self
            .app
            .task_run_dir(self.task_run.run_id)
            .join("restart.json");
        let state: Value =
            serde_json::from_slice(&std::fs::read(&path)?).map_err(std::io::Error::from)?;
        for field in ["start_cell", "widgets"] {
            request[field] = state[field].clone();
        }
        Ok(())
    }

    fn keep_task_values(&self) -> Result<(), TaskError> {
        let path = self
            .app
            .task_run_dir(self.task_run.run_id)
            .join("task_values.json");
        let Ok(text) = std::fs::read(path) else {
            return Ok(());
        };
        let values: Map<String, Value> =
            serde_json::from_slice(&text).map_err(std::io::Error::from)?;
        for (key, value) in &values {
            self.app
                .store
                .set_task_value(self.run.run_id, &self.task_run.task_key, key, value)?;
        }
        Ok(())
    }

    fn output(&self, stop: &Stop) -> TaskOutput {
        let folder = self.app.task_run_dir(self.task_run.run_id);
        let mut output = outcome::output_of(&outcome::read_events(&folder.join("events.jsonl")));
        match stop {
            Stop::Exit(Exit::Died(status)) => {
                output.error = Some(format!("the notebook's Python process died ({status})"));
                let log = std::fs::read(folder.join("process.log")).unwrap_or_default();
                let tail = &log[log.len().saturating_sub(LOG_TAIL)..];
                output.error_trace = Some(String::from_utf8_lossy(tail).into_owned());
            }
            Stop::Timeout => {
                let seconds = self.timeout.unwrap_or_default().as_secs();
                output.error = Some(format!(
                    "the task took longer than its timeout of {seconds} seconds"
                ));
            }
            Stop::Cancelled => output.error = Some("Run canceled.".to_owned()),
            Stop::Exit(_) => {}
        }
        output
    }
}

/// Id of the notebook at a workspace path; 0 for a file that was put there by other means.
pub(super) fn notebook_id(app: &App, path: &str) -> Result<i64, StoreError> {
    let inside = path.strip_prefix("/Workspace").unwrap_or(path);
    Ok(app.store.object(inside)?.map_or(0, |row| row.object_id))
}

fn state_after(stop: &Stop) -> RunState {
    let (result, message) = match stop {
        Stop::Exit(Exit::Success) => (ResultState::Success, ""),
        Stop::Exit(_) => (ResultState::Failed, FAILED),
        Stop::Timeout => (ResultState::TimedOut, "Run timed out."),
        Stop::Cancelled => (ResultState::Canceled, "Run canceled."),
    };
    RunState::ended(LifeCycle::Terminated, result, message)
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
