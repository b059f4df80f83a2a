//! What a workspace is started with.

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::routes::Witness;
use crate::state_dir::StateDir;

/// Settings of one run of the server.
#[derive(Debug)]
pub struct Config {
    /// The folder of the workspace, locked by us.
    pub state: StateDir,
    /// Python of the environment that runs notebooks and MLflow.
    pub python: Utf8PathBuf,
    /// End after this long without a request or an active run; `None` means never.
    pub idle: Option<Duration>,
    /// Whether the user asked for a workspace that stays up; shown in the status.
    pub keep: bool,
    /// Whether schedules start runs.
    pub schedules: bool,
    /// Who watches the calls, in the conformance test.
    pub witness: Option<Witness>,
}
