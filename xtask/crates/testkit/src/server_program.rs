//! A server program under test, with its state in a folder of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::environment;

/// How long a start, and a stop, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct ServerProgram {
    folder: TempDir,
    program: PathBuf,
    args: Vec<OsString>,
    child: Child,
    url: String,
    token: String,
}

impl ServerProgram {
    /// Starts `program serve --state FOLDER/state ARGS…` on a free port. The server answers when this returns.
    pub(crate) fn start(program: PathBuf, args: impl FnOnce(&Path) -> Vec<OsString>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let args = args(folder.path());
        let child = spawn(&program, folder.path(), &args);
        let mut server = ServerProgram {
            folder,
            program,
            args,
            child,
            url: String::new(),
            token: String::new(),
        };
        server.wait_until_it_answers();
        server
    }

    /// Kills it, and starts it again on the same state and port.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(self.state().join("server.json"));
        self.child = spawn(&self.program, self.folder.path(), &self.args);
        self.wait_until_it_answers();
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The token of its owner.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of its log.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read(self.folder().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Asks it to stop, so that it ends its own child processes, and waits for that.
    pub(crate) fn terminate(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        let announced = self.state().join("server.json");
        loop {
            let text = std::fs::read_to_string(&announced).unwrap_or_default();
            if let Ok(Value::Object(info)) = serde_json::from_str(&text) {
                self.url = info["url"].as_str().unwrap_or_default().to_owned();
                let token = std::fs::read_to_string(self.state().join("token"));
                self.token = token.expect("the server's token").trim().to_owned();
                return;
            }
            let ended = self.child.try_wait().expect("a child of ours");
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "{} did not start: {}",
                self.program.display(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for ServerProgram {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(program: &Path, folder: &Path, args: &[OsString]) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log file");
    let home = folder.join("home");
    std::fs::create_dir_all(&home).expect("a folder");
    let mut command = Command::new(program);
    environment::hermetic(&mut command, &home);
    command
        .args(["serve", "--state"])
        .arg(folder.join("state"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command.spawn().expect("the program starts")
}

/// The program that `variable` names, or the one of this name beside the test's own.
///
/// # Panics
/// When it was not built.
pub(crate) fn built(name: &str, variable: &str) -> PathBuf {
    if let Some(program) = std::env::var_os(variable) {
        return PathBuf::from(program);
    }
    let test = std::env::current_exe().expect("a test has a program");
    // target/debug/deps/TEST: the programs are one folder up.
    let folder = test.parent().and_then(Path::parent);
    let program = folder.unwrap_or(Path::new(".")).join(name);
    assert!(
        program.exists(),
        "{} is missing: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}
