//! The processes that run notebooks. Each runs one notebook. The next one of a run starts early and imports libraries
//! while the task before it runs, which hides most of Python's startup time.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};
use xtask_local_server::lock;
use xtask_local_server::secret::{Secret, fingerprint};

use crate::process_group::{self, Group};
use crate::python;
use crate::state::App;

/// Time for a notebook to end after SIGTERM: MLflow runs are closed in it.
const GRACE: Duration = Duration::from_secs(8);

/// A process that waits for its notebook, or runs it.
#[derive(Debug)]
pub(super) struct Kernel {
    child: Child,
    group: Group,
    /// The process ends when it is closed.
    input: ChildStdin,
}

impl Kernel {
    /// Sends the notebook as one line of JSON.
    pub(super) async fn send(&mut self, request: &Value) -> std::io::Result<()> {
        self.input
            .write_all(format!("{request}\n").as_bytes())
            .await?;
        self.input.flush().await
    }

    /// Waits for the process, and kills what is left of its group.
    pub(super) async fn finish(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        process_group::sweep(&mut self.child, self.group).await;
        Ok(status)
    }

    pub(super) async fn end(&mut self) {
        process_group::end(&mut self.child, GRACE).await;
    }
}

/// Creates the processes of one run.
#[derive(Debug)]
pub(super) struct Kernels {
    app: Arc<App>,
    token: Secret,
    spare: Mutex<Option<Kernel>>,
}

impl Kernels {
    pub(super) fn new(app: Arc<App>, token: Secret) -> Kernels {
        Kernels {
            app,
            token,
            spare: Mutex::new(None),
        }
    }

    /// The warm process, or a new one.
    pub(super) fn take(&self) -> std::io::Result<Kernel> {
        if let Some(mut kernel) = lock(&self.spare).take()
            && matches!(kernel.child.try_wait(), Ok(None))
        {
            return Ok(kernel);
        }
        self.fresh()
    }

    /// A new process without early imports.
    pub(super) fn fresh(&self) -> std::io::Result<Kernel> {
        // The notebook is known already: early imports gain nothing.
        self.start(None)
    }

    /// Starts a process for a later notebook, unless one is waiting. `imports` is the file that names what to import.
    pub(super) fn prepare(&self, imports: &Utf8Path) {
        let mut spare = lock(&self.spare);
        if spare.is_some() {
            return;
        }
        match self.start(Some(imports)) {
            Ok(kernel) => *spare = Some(kernel),
            // The task that needs it will get the same error and report it.
            Err(error) => tracing::warn!(%error, "cannot start a process for the next notebook"),
        }
    }

    /// Ends a process that was not used.
    pub(super) async fn close(&self) {
        let spare = lock(&self.spare).take();
        if let Some(mut kernel) = spare {
            process_group::end(&mut kernel.child, Duration::from_millis(200)).await;
        }
    }

    fn start(&self, imports: Option<&Utf8Path>) -> std::io::Result<Kernel> {
        let app = &self.app;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(app.config.state.path().join("runs/kernel.log"))?;
        let mut command = python::notebook_side(app, "start.py");
        command.args(["--home", app.config.state.path().join("home").as_str()]);
        if let Some(imports) = imports {
            command.args(["--warm", imports.as_str()]);
        }
        let mut child = command
            .envs(self.environment())
            .envs(app.config.spark.variable())
            .envs(
                app.config
                    .spark_jars
                    .iter()
                    .map(|folder| ("XTASK_SPARK_JARS", folder)),
            )
            .current_dir(app.config.state.path().join("runs"))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()?;
        match (Group::of(&child), child.stdin.take()) {
            (Some(group), Some(input)) => Ok(Kernel {
                child,
                group,
                input,
            }),
            _ => Err(std::io::Error::other("the process ended immediately")),
        }
    }

    /// How a notebook finds the workspace. The token belongs to the run, and is void when that ends.
    fn environment(&self) -> [(&'static str, &str); 8] {
        let (url, token) = (self.app.url.as_str(), self.token.expose());
        [
            ("MLFLOW_TRACKING_URI", url),
            ("MLFLOW_TRACKING_TOKEN", token),
            ("MLFLOW_REGISTRY_URI", "databricks-uc"),
            (
                "MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC",
                "true",
            ),
            ("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false"),
            ("DATABRICKS_HOST", url),
            ("DATABRICKS_TOKEN", token),
            ("DATABRICKS_AUTH_TYPE", "pat"),
        ]
    }
}

/// Where the imports of a notebook or Python file are remembered for its next run; `path` is its workspace path.
pub(super) fn imports_file(app: &App, path: &str) -> Utf8PathBuf {
    let name = fingerprint(path);
    app.config
        .state
        .path()
        .join(format!("home/imports/{}.json", &name[..16]))
}
