//! The locked Python environment: what uv.lock says, installed by uv.

use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::workshop::{Workshop, write_whole};
use super::{Item, Sight, python, remedies};
use crate::children::Program;
use crate::error::Failure;
use crate::vars;

/// Bringing the environment in step.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The interpreter to make it with; `None` keeps that of the environment, or lets uv choose.
    interpreter: Option<Utf8PathBuf>,
    /// Whether there is none yet.
    pub(crate) first: bool,
}

/// The environment as it was when uv last had it in step. Another state means that uv looks again,
/// which takes a tenth of a second when nothing is to be done.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    environment: Utf8PathBuf,
    asked: String,
    interpreter: Utf8PathBuf,
    /// Installing or removing a package changes this folder.
    packages_changed: Option<std::time::SystemTime>,
}

/// Whether the project has an environment of its own: a lock, or a `[project]` table that wants one. Other
/// tools keep settings in pyproject.toml as well.
pub(crate) fn is_declared(workshop: &Workshop<'_>) -> bool {
    let root = &workshop.context.root;
    let pyproject = fs_err::read_to_string(root.join("pyproject.toml")).unwrap_or_default();
    root.join("uv.lock").is_file()
        || toml::from_str::<toml::Table>(&pyproject)
            .is_ok_and(|table| table.contains_key("project"))
}

/// The Python of the environment, and its version as its folders have it (`3.11`); `None` where there is none.
pub(crate) fn interpreter(workshop: &Workshop<'_>) -> Option<(Utf8PathBuf, String)> {
    if !is_declared(workshop) || !program(workshop).is_file() {
        return None;
    }
    let packages = packages(&environment(workshop))?;
    let version = packages.parent()?.file_name()?.strip_prefix("python")?;
    Some((program(workshop), version.to_owned()))
}

/// The folder of an environment's packages.
pub(crate) fn packages(environment: &Utf8Path) -> Option<Utf8PathBuf> {
    let library = environment.join("lib").read_dir_utf8().ok()?;
    library
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("site-packages"))
        .find(|folder| folder.is_dir())
}

/// Looks whether the environment is in step with pyproject.toml and uv.lock.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Plan> {
    for file in ["pyproject.toml", "uv.lock"] {
        if !workshop.context.root.join(file).is_file() {
            return Sight::Cannot(remedies::no_lock_file(file));
        }
    }
    let program = program(workshop);
    let now = stamp(workshop);
    let suspect = mark(workshop).is_file();
    if !suspect && now.is_some() && now == last(workshop) {
        return Sight::Here(
            program,
            format!("in step with uv.lock ({})", environment(workshop)),
        );
    }
    let first = suspect || !program.exists();
    // uv reads both by itself, and rightly puts them above what it is given.
    let chosen = workshop.context.env.get(vars::UV_PYTHON).is_some()
        || workshop.context.root.join(".python-version").is_file();
    if !first || chosen {
        return Sight::Fetch(Plan {
            interpreter: None,
            first,
        });
    }
    match python::find(workshop) {
        Ok(python) => Sight::Fetch(Plan {
            interpreter: Some(python.path),
            first,
        }),
        Err(failure) => Sight::Cannot(failure),
    }
}

/// What bringing it in step means.
pub(crate) fn item(plan: &Plan) -> Item {
    Item {
        what: "the Python packages of uv.lock".to_owned(),
        how: if plan.first {
            "from PyPI, about 200 MB; 650 MB in .venv".to_owned()
        } else {
            "what has changed, from PyPI".to_owned()
        },
        disk: if plan.first { 900_000_000 } else { 100_000_000 },
        asks: plan.first,
    }
}

/// Brings it in step.
///
/// # Errors
/// [`remedies::failed`] with what uv says.
pub(crate) fn fetch(
    workshop: &Workshop<'_>,
    uv: &Utf8Path,
    plan: &Plan,
) -> anyhow::Result<Utf8PathBuf> {
    let context = workshop.context;
    let progress = context
        .ui
        .progress("Installing", "the Python packages of uv.lock");
    let reinstall = remove_half_made(workshop)?;
    let mut command = workshop.command(Program::Uv, uv);
    command
        .args(["sync", "--locked", "--no-progress"])
        // Without compiled files `import mlflow` costs three times as much, in every process.
        .env("UV_COMPILE_BYTECODE", "1")
        .env("UV_PYTHON_DOWNLOADS", "never")
        .env_remove("UV_FROZEN")
        .env_remove("UV_NO_SYNC");
    for extra in extras(workshop) {
        command.args(["--extra", extra]);
    }
    if let Some(interpreter) = &plan.interpreter {
        command.args(["--python", interpreter.as_str()]);
    }
    if context.env.offline {
        command.arg("--offline");
    }
    if reinstall {
        command.arg("--reinstall");
    }
    write_whole(&mark(workshop), b"")?;
    let synced = workshop.run(command, |line| {
        progress.message(format!("the Python packages: {}", line.trim()))
    })?;
    // uv downloads everything before it installs anything: where it gave up by itself, only a full
    // disk can have left half a package.
    if synced.status.code().is_some() && !remedies::disk_was_full(&synced.tail) {
        fs_err::remove_file(mark(workshop))?;
    }
    if !synced.ok() {
        return Err(explain(workshop, &synced.tail).into());
    }
    if let Some(stamp) = stamp(workshop) {
        write_whole(&stamp_file(workshop), &serde_json::to_vec_pretty(&stamp)?)?;
    }
    progress.finish("Installed", "the Python packages of uv.lock");
    Ok(program(workshop))
}

fn explain(workshop: &Workshop<'_>, output: &str) -> Failure {
    if output.contains("lockfile at `uv.lock` needs to be updated") {
        return Failure::new(
            crate::error::Kind::Failed,
            "uv.lock is out of step with pyproject.toml",
        )
        .details(output)
        .next("uv lock")
        .next(remedies::AGAIN);
    }
    if workshop.context.env.offline {
        return remedies::offline("a part of the Python packages of uv.lock").details(output);
    }
    remedies::failed("installing the Python packages of uv.lock", output)
}

/// Removes an environment that a kill or a full disk left half-made, and tells whether there may still
/// be one (outside of the project, where nothing is ours to remove). uv would take a package of which
/// half the files are there for installed, and a folder without an interpreter for somebody else's.
fn remove_half_made(workshop: &Workshop<'_>) -> std::io::Result<bool> {
    let environment = environment(workshop);
    let no_environment = !environment.join("pyvenv.cfg").is_file() && !program(workshop).exists();
    let suspect = mark(workshop).is_file();
    if !environment.starts_with(&workshop.context.root) {
        return Ok(suspect);
    }
    if environment.is_dir() && (suspect || no_environment) {
        super::workshop::remove(&environment)?;
    }
    Ok(false)
}

/// There while uv installs, and as long as what it left is not known to be whole.
fn mark(workshop: &Workshop<'_>) -> Utf8PathBuf {
    workshop.folder.join("environment.under-way")
}

/// What the environment has besides: of the project, and of whoever runs us.
fn extras<'w>(workshop: &'w Workshop<'_>) -> impl Iterator<Item = &'w str> {
    let context = workshop.context;
    let own = context.env.get(vars::XTASK_EXTRAS).unwrap_or_default();
    let project = context.config.workspace.extras.iter().map(String::as_str);
    project.chain(
        own.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty()),
    )
}

fn environment(workshop: &Workshop<'_>) -> Utf8PathBuf {
    let chosen = workshop
        .context
        .env
        .get(vars::UV_PROJECT_ENVIRONMENT)
        .unwrap_or(".venv");
    workshop.context.root.join(chosen)
}

fn program(workshop: &Workshop<'_>) -> Utf8PathBuf {
    environment(workshop).join("bin/python")
}

fn stamp_file(workshop: &Workshop<'_>) -> Utf8PathBuf {
    workshop.folder.join("environment.json")
}

fn last(workshop: &Workshop<'_>) -> Option<Stamp> {
    serde_json::from_slice(&fs_err::read(stamp_file(workshop)).ok()?).ok()
}

/// The environment as it is; `None` when it is not whole.
fn stamp(workshop: &Workshop<'_>) -> Option<Stamp> {
    let environment = environment(workshop);
    let mut asked = String::new();
    for file in ["pyproject.toml", "uv.lock", ".python-version"] {
        let bytes = fs_err::read(workshop.context.root.join(file)).unwrap_or_default();
        for byte in digest(&SHA256, &bytes).as_ref() {
            asked.push_str(&format!("{byte:02x}"));
        }
    }
    asked.extend(extras(workshop).flat_map(|extra| [" ", extra]));
    let packages = packages(&environment)?;
    Some(Stamp {
        // A link to an interpreter that was uninstalled since is none.
        interpreter: program(workshop).canonicalize_utf8().ok()?,
        packages_changed: fs_err::metadata(packages).ok()?.modified().ok(),
        environment: environment.canonicalize_utf8().ok()?,
        asked,
    })
}
