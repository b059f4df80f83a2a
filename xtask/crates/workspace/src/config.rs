//! Configuration of a workspace.

use std::time::Duration;

use camino::Utf8PathBuf;
use xtask_local_server::state_dir::StateDir;

use crate::conformance::Recorder;

/// Folders in the state folder.
pub const PARTS: [&str; 7] = [
    "files", "volumes", "dbfs", "models", "incoming", "runs", "mlflow",
];

#[derive(Debug)]
pub struct Config {
    pub state: StateDir,
    /// Python of the environment for notebooks.
    pub python: Utf8PathBuf,
    /// Python of the environment for MLflow's server.
    pub mlflow_python: Utf8PathBuf,
    /// Folder of packages that notebooks see after those of their own environment.
    pub kernel_packages: Option<Utf8PathBuf>,
    /// Stop after this time without a request or an active run; `None` means never.
    pub idle: Option<Duration>,
    /// Whether the user asked for a workspace that keeps running; shown by `status`.
    pub keep: bool,
    pub schedules: bool,
    /// For the conformance test.
    pub conformance: Option<Recorder>,
    pub spark: Spark,
    /// Folder of further jars for local Spark sessions; may be missing, or appear later.
    pub spark_jars: Option<Utf8PathBuf>,
}

/// Where Spark sessions of notebooks run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Spark {
    /// In a JVM of the notebook's own, on all cores of this machine.
    #[default]
    Here,
    /// On the cluster with this master, such as `spark://host:7077`; the notebook's JVM is its driver.
    Master(String),
    /// Behind Spark Connect, at an address such as `sc://host:15002`.
    Remote(String),
}

impl Spark {
    /// Environment variable that tells the kernel; see `notebook_kernel/spark/place.py`.
    pub(crate) fn variable(&self) -> Option<(&'static str, &str)> {
        match self {
            Spark::Here => None,
            Spark::Master(address) => Some(("XTASK_SPARK_MASTER", address)),
            Spark::Remote(address) => Some(("XTASK_SPARK_REMOTE", address)),
        }
    }
}
