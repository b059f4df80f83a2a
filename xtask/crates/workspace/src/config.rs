//! What a workspace is started with.

use std::time::Duration;

use camino::Utf8PathBuf;
use xtask_local_server::state_dir::StateDir;

use crate::witness::Witness;

/// Folders in the state folder.
pub const PARTS: [&str; 7] = [
    "files", "volumes", "dbfs", "models", "incoming", "runs", "mlflow",
];

/// Settings of one run of the server.
#[derive(Debug)]
pub struct Config {
    /// The folder of the workspace, locked by us.
    pub state: StateDir,
    /// Python of the environment that runs notebooks.
    pub python: Utf8PathBuf,
    /// Python of the environment that runs MLflow's server.
    pub mlflow_python: Utf8PathBuf,
    /// Folder of packages that notebooks find behind those of their own environment.
    pub kernel_packages: Option<Utf8PathBuf>,
    /// End after this long without a request or an active run; `None` means never.
    pub idle: Option<Duration>,
    /// Whether the user asked for a workspace that stays up; shown in the status.
    pub keep: bool,
    /// Whether schedules start runs.
    pub schedules: bool,
    /// Who watches the calls, in the conformance test.
    pub witness: Option<Witness>,
    /// Where the Spark sessions of notebooks run.
    pub spark: Spark,
    /// Folder of the jars that sessions on this machine have besides; it may be missing or come later.
    pub spark_jars: Option<Utf8PathBuf>,
}

/// Where the Spark sessions of notebooks run.
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
    /// What tells the kernel so; see `notebook_kernel/spark/place.py`.
    pub(crate) fn variable(&self) -> Option<(&'static str, &str)> {
        match self {
            Spark::Here => None,
            Spark::Master(address) => Some(("XTASK_SPARK_MASTER", address)),
            Spark::Remote(address) => Some(("XTASK_SPARK_REMOTE", address)),
        }
    }
}
