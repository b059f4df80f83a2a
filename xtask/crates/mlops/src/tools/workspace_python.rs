//! The local workspace's own Python environments: one for MLflow's server, one for the packages that
//! notebooks can import besides those of their project. The lock file is embedded.

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;

use super::workshop::Workshop;
use super::{Item, Sight, python, remedies, venv};
use crate::child_env::{Program, sh};
use xtask_remote::sha256;

const PROJECT: &str = include_str!("../../tools/workspace-python/pyproject.toml");
const LOCK: &str = include_str!("../../tools/workspace-python/uv.lock");
/// The name of its item.
pub(crate) const WHAT: &str = "the local workspace's Python packages";

/// Installing it.
#[derive(Debug)]
pub(crate) struct Plan {
    interpreter: Utf8PathBuf,
    version: String,
}

/// Checks whether it is installed for the Python version of the project's environment.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Plan> {
    let (interpreter, version) = match venv::interpreter(workshop) {
        Some(found) => found,
        None => match python::find(workshop) {
            Ok(python) => (python.path, python.version.minor()),
            Err(failure) => return Sight::Cannot(failure),
        },
    };
    match workshop.installed(&name(&version)) {
        Some(home) => Sight::Here(home, format!("for Python {version}")),
        None => Sight::Fetch(Plan {
            interpreter,
            version,
        }),
    }
}

/// The item for the prompt.
pub(crate) fn item() -> Item {
    Item {
        what: WHAT.to_owned(),
        how: "MLflow and IPython, from PyPI, about 200 MB".to_owned(),
        disk: 700_000_000,
        asks: true,
    }
}

/// Installs it with uv.
pub(crate) fn fetch(
    workshop: &Workshop<'_>,
    uv: &Utf8Path,
    plan: &Plan,
) -> anyhow::Result<Utf8PathBuf> {
    // The project's environment may have been created since the check, with another Python.
    let (interpreter, version) = venv::interpreter(workshop)
        .unwrap_or_else(|| (plan.interpreter.clone(), plan.version.clone()));
    let name = name(&version);
    if let Some(home) = workshop.installed(&name) {
        return Ok(home);
    }
    let progress = workshop.context.ui.progress("Installing", WHAT);
    let home = workshop.install(&name, |folder| {
        fs_err::write(folder.join("pyproject.toml"), PROJECT)?;
        fs_err::write(folder.join("uv.lock"), LOCK)?;
        let groups: [(&str, &[&str]); 2] =
            [("server", &["server", "kernel"]), ("kernel", &["kernel"])];
        for (environment, groups) in groups {
            let groups = groups.iter().flat_map(|group| ["--only-group", group]);
            let offline = workshop.context.env.offline.then_some("--offline");
            let line = cmd!(
                sh(),
                "{uv} sync --locked --no-progress --directory {folder} --python {interpreter}
                    {groups...} {offline...}"
            )
            .env("UV_PROJECT_ENVIRONMENT", environment)
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env_remove("UV_PYTHON")
            .env_remove("UV_FROZEN")
            .env_remove("UV_NO_SYNC");
            let done = workshop.run(workshop.command(Program::Uv, line), &mut |line| {
                progress.message(format!("{WHAT}: {}", line.trim()))
            })?;
            if !done.ok() {
                return match workshop.context.env.offline {
                    true => remedies::offline(WHAT).details(&done.tail).err(),
                    false => remedies::failed(&format!("installing {WHAT}"), &done.tail).err(),
                };
            }
        }
        progress.message(format!("{WHAT}: compiling bytecode"));
        import(workshop, folder)
    })?;
    progress.finish("Installed", WHAT);
    Ok(home)
}

/// Imports the server's modules once, which writes their bytecode in a fifth of the time of compiling all
/// packages, and finds packages that do not load.
fn import(workshop: &Workshop<'_>, folder: &Utf8Path) -> anyhow::Result<()> {
    let python = server(folder);
    let line = cmd!(
        sh(),
        "{python} -c 'import mlflow.server.fastapi_app, IPython, databricks.sdk'"
    );
    let line = line.env_remove("PYTHONDONTWRITEBYTECODE");
    let done = workshop.run(workshop.command(Program::Code, line), &mut |_| ())?;
    match done.ok() {
        true => Ok(()),
        false => remedies::failed(&format!("importing {WHAT}"), &done.tail).err(),
    }
}

/// The Python that runs MLflow's server, in the folder that [`look`] and [`fetch`] answer.
pub(crate) fn server(home: &Utf8Path) -> Utf8PathBuf {
    home.join("server/bin/python")
}

/// The folder with the packages that notebooks find behind those of their project.
pub(crate) fn kernel(home: &Utf8Path) -> Utf8PathBuf {
    venv::packages(&home.join("kernel")).unwrap_or_else(|| home.join("kernel"))
}

/// A folder per lock file and Python version, so that two versions of the tool can coexist.
fn name(version: &str) -> String {
    let lock = sha256(LOCK.as_bytes());
    format!("workspace-python-{}-{version}", &lock[..12])
}
