//! A local workspace of a test's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::environment;
use crate::project::repository;

/// How long it may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running local workspace, with its MLflow server and its state in a folder of its own. Dropping it
/// ends it.
#[derive(Debug)]
pub struct Workspace {
    folder: TempDir,
    child: Child,
    without: Vec<String>,
    url: String,
    token: String,
}

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
        let folder = tempfile::tempdir().expect("a temporary folder");
        let without: Vec<String> = routes.iter().map(|&route| route.to_owned()).collect();
        let child = spawn(folder.path(), &without);
        let mut workspace = Workspace {
            folder,
            child,
            without,
            url: String::new(),
            token: String::new(),
        };
        workspace.wait_until_it_answers();
        workspace
    }

    /// Ends it as if the machine had lost power, and starts it again on the same state and port.
    ///
    /// # Panics
    /// When it does not start again.
    pub fn restart(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(self.state().join("server.json"));
        self.child = spawn(self.folder.path(), &self.without);
        self.wait_until_it_answers();
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of its owner.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The folder of its state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        let announced = self.state().join("server.json");
        loop {
            let text = std::fs::read_to_string(&announced).unwrap_or_default();
            if let Ok(Value::Object(said)) = serde_json::from_str(&text) {
                self.url = said["url"].as_str().unwrap_or_default().to_owned();
                let token = std::fs::read_to_string(self.state().join("token"));
                self.token = token.expect("the workspace's token").trim().to_owned();
                return;
            }
            let ended = self.child.try_wait().expect("the workspace can be asked");
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "the workspace did not start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Asked, it takes its MLflow along.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > PATIENCE {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn spawn(folder: &Path, without: &[String]) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log file");
    let home = folder.join("home");
    std::fs::create_dir_all(&home).expect("a folder");
    let mut command = Command::new(program());
    environment::hermetic(&mut command, &home);
    command
        .arg("serve")
        .arg("--state")
        .arg(folder.join("state"))
        .arg("--python")
        .arg(python())
        .arg("--keep")
        .args(without.iter().flat_map(|route| ["--without", route]))
        .stdout(Stdio::null())
        .stderr(log);
    command.spawn().expect("the workspace starts")
}

/// The Python that runs MLflow and notebooks.
fn python() -> OsString {
    let named = std::env::var_os("XTASK_TEST_PYTHON");
    named.unwrap_or_else(|| repository().join(".venv/bin/python").into_os_string())
}

/// The program of local workspaces.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("XTASK_TEST_WORKSPACE_BIN") {
        return PathBuf::from(program);
    }
    let test = std::env::current_exe().expect("a test has a program");
    // target/debug/deps/TEST: the programs are one folder up.
    let folder = test
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("."));
    let program = folder.join("xtask-workspace");
    assert!(
        program.exists(),
        "{} is missing: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}
