//! A local workspace of a test's own.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::repository::repository;
use crate::server_program::{ServerProgram, built};

/// A running local workspace, with its MLflow server and its state in a folder of its own. Dropping it
/// ends it.
#[derive(Debug)]
pub struct Workspace(ServerProgram);

impl Workspace {
    /// Starts a workspace on a free port. It answers when this returns; its MLflow may still be starting,
    /// and calls that need it wait for it.
    ///
    /// The program is that of `XTASK_TEST_WORKSPACE_BIN`, or the one beside the test's own program; the
    /// Python that of `XTASK_TEST_PYTHON`, or of the repository's environment.
    ///
    /// # Panics
    /// When it does not start; the message says why.
    #[must_use]
    pub fn start() -> Workspace {
        Workspace::without(&[])
    }

    /// The same, which leaves routes out: `POST /api/2.2/jobs/create`.
    ///
    /// # Panics
    /// When it does not start; the message says why.
    #[must_use]
    pub fn without(routes: &[&str]) -> Workspace {
        let program = built("xtask-workspace", "XTASK_TEST_WORKSPACE_BIN");
        Workspace(ServerProgram::start(program, |_| {
            let mut args = vec!["--keep".into(), "--python".into(), python()];
            for route in routes {
                args.extend(["--without".into(), route.into()]);
            }
            args
        }))
    }

    /// Ends it as if the machine had lost power, and starts it again on the same state and port.
    ///
    /// # Panics
    /// When it does not start again.
    pub fn restart(&mut self) {
        self.0.restart();
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// The token of its owner.
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.token()
    }

    /// The folder of its state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.state()
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // A killed workspace would leave its MLflow behind.
        self.0.terminate();
    }
}

/// The Python that runs MLflow and notebooks.
fn python() -> OsString {
    let named = std::env::var_os("XTASK_TEST_PYTHON");
    named.unwrap_or_else(|| repository().join(".venv/bin/python").into_os_string())
}
