//! A folder of tools in which MLflow is imported once for all tests of a program instead of once for each.
//!
//! Importing MLflow's server takes four processor seconds, more than most tests need besides. Its Python is replaced
//! by a script that asks a process which has imported it to fork a server. Until that process is ready, and for
//! everything else, the script runs the Python itself: nothing fails for want of it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::repository::repository;

const PARENT: &str = include_str!("warm_mlflow/parent.py");
const PYTHON: &str = include_str!("warm_mlflow/python.py");
/// The Python of MLflow's server, in a folder of tools.
const SERVER: &str = "server/bin/python";

/// A folder for `.xtask/tools` of a project: links to the tools of this repository.
pub(crate) fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(make)
}

fn make() -> PathBuf {
    let installed = repository().join(".xtask/tools");
    // A static is never dropped: the parent removes the folder when this process has ended.
    let folder = TempDir::with_prefix("tools-")
        .expect("a temporary folder")
        .keep();
    let tools = folder.join("tools");
    mirror(&installed, &tools, &|name| {
        name.starts_with("workspace-python-")
    });
    for name in names(&installed).filter(|name| name.starts_with("workspace-python-")) {
        let python = installed.join(&name).join(SERVER);
        if python.exists() {
            serve(&python, &tools.join(&name).join(SERVER), &folder);
        }
    }
    tools
}

/// Makes `to` a folder of links to what is in `from`; those that `opened` names become such folders themselves.
fn mirror(from: &Path, to: &Path, opened: &dyn Fn(&str) -> bool) {
    std::fs::create_dir(to).expect("a folder");
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if opened(&name) {
            mirror(&from, &to, &|name| ["server", "bin"].contains(&name));
        } else {
            symlink(from, to).expect("a link");
        }
    }
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(folder).expect("the tools: run `cargo xtask setup` first");
    entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name")
    })
}

/// Starts the process that imports MLflow with `python`, and puts the script that asks it at `at`.
fn serve(python: &Path, at: &Path, folder: &Path) {
    let socket = folder.join("parent");
    let quoted = |path: &Path| serde_json::to_string(path).expect("a path");
    let script = PYTHON
        .replace("\"@PYTHON@\"", &quoted(python))
        .replace("\"@PARENT@\"", &quoted(&socket));
    std::fs::remove_file(at).expect("the link");
    std::fs::write(at, format!("#!{} -IS\n{script}", python.display())).expect("a script");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(at, executable).expect("a script");

    let parent = Command::new(python)
        .args(["-W", "ignore", "-c", PARENT])
        .arg(&socket)
        .env_clear()
        // What MLflow reads while it is imported; the rest comes with each server.
        .envs([
            ("MLFLOW_DISABLE_TELEMETRY", "true"),
            ("MLFLOW_SERVER_ALLOWED_HOSTS", "localhost"),
            ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),
            ("_MLFLOW_SGI_NAME", "uvicorn"),
            // A process with threads cannot fork safely.
            ("OPENBLAS_NUM_THREADS", "1"),
            ("OMP_NUM_THREADS", "1"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // Its standard input stays open until this process ends.
    std::mem::forget(parent.expect("MLflow's Python starts"));
}
