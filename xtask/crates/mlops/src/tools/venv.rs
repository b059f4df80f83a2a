//! The locked Python environment: the packages of uv.lock, installed by uv.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use xshell::cmd;

use super::workshop::Workshop;
use super::{Item, Sight, python, remedies};
use crate::child_env::{Program, sh};
use crate::error::Failure;
use crate::files;
use crate::vars;
use xtask_remote::sha256;

/// The plan of `uv sync`.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The interpreter to create it with; `None` keeps the environment's, or lets uv choose.
    interpreter: Option<Utf8PathBuf>,
    /// Whether there is none yet.
    pub(crate) first: bool,
}

/// The state of the environment after the last `uv sync`. In any other state uv runs again, which takes 0.1
/// s if nothing changed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    environment: Utf8PathBuf,
    asked: String,
    interpreter: Utf8PathBuf,
    /// Installing or removing a package changes this folder.
    packages_changed: Option<std::time::SystemTime>,
}

/// Whether the project has its own environment: a lock, or a `[project]` table. A pyproject.toml alone may
/// only hold other tools' settings.
pub(crate) fn is_declared(workshop: &Workshop<'_>) -> bool {
    let root = &workshop.context.root;
    let pyproject = fs_err::read_to_string(root.join("pyproject.toml")).unwrap_or_default();
    root.join("uv.lock").is_file()
        || toml::from_str::<toml::Table>(&pyproject)
            .is_ok_and(|table| table.contains_key("project"))
}

/// The environment's Python and its minor version (`3.11`); `None` without an environment.
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

/// Checks whether the environment matches pyproject.toml and uv.lock.
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
            format!("up to date with uv.lock ({})", environment(workshop)),
        );
    }
    let first = suspect || !program.exists();
    // uv reads both itself, and they take precedence over `--python`.
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

/// The item for the prompt.
pub(crate) fn item(plan: &Plan) -> Item {
    Item {
        what: "the Python packages of uv.lock".to_owned(),
        how: if plan.first {
            "from PyPI, about 200 MB; 650 MB in .venv".to_owned()
        } else {
            "changed packages, from PyPI".to_owned()
        },
        disk: if plan.first { 900_000_000 } else { 100_000_000 },
        asks: plan.first,
    }
}

/// Runs `uv sync`.
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
    let extras = extras(workshop).flat_map(|extra| ["--extra", extra]);
    let python = plan.interpreter.iter();
    let python = python.flat_map(|python| ["--python", python.as_str()]);
    let offline = context.env.offline.then_some("--offline");
    let reinstall = reinstall.then_some("--reinstall");
    let line = cmd!(
        sh(),
        "{uv} sync --locked --no-progress {extras...} {python...} {offline...} {reinstall...}"
    )
    // Without bytecode, `import mlflow` takes three times as long in every process.
    .env("UV_COMPILE_BYTECODE", "1")
    .env("UV_PYTHON_DOWNLOADS", "never")
    .env_remove("UV_FROZEN")
    .env_remove("UV_NO_SYNC");
    files::replace(&mark(workshop), b"")?;
    let synced = workshop.run(workshop.command(Program::Uv, line), &mut |line| {
        progress.message(format!("the Python packages: {}", line.trim()))
    })?;
    // uv downloads everything before it installs anything: if it failed by itself, only a full disk can
    // have left half a package.
    if synced.status.code().is_some() && !remedies::disk_was_full(&synced.tail) {
        fs_err::remove_file(mark(workshop))?;
    }
    if !synced.ok() {
        return Err(explain(workshop, &synced.tail).into());
    }
    if let Some(stamp) = stamp(workshop) {
        files::replace(&stamp_file(workshop), &serde_json::to_vec_pretty(&stamp)?)?;
    }
    progress.finish("Installed", "the Python packages of uv.lock");
    Ok(program(workshop))
}

fn explain(workshop: &Workshop<'_>, output: &str) -> Failure {
    if output.contains("lockfile at `uv.lock` needs to be updated") {
        return Failure::failed("uv.lock does not match pyproject.toml")
            .details(output)
            .next("uv lock")
            .next(remedies::AGAIN);
    }
    if workshop.context.env.offline {
        return remedies::offline("a Python package of uv.lock").details(output);
    }
    remedies::failed("installing the Python packages of uv.lock", output)
}

/// Removes an environment that a kill or a full disk left incomplete, and returns whether one may still
/// exist (outside the project nothing is removed). uv would consider a half-installed package installed,
/// and refuse a folder without an interpreter as not an environment.
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

/// Exists while uv installs, and until the environment is known to be complete.
fn mark(workshop: &Workshop<'_>) -> Utf8PathBuf {
    workshop.folder.join("environment.under-way")
}

/// The extras to install: from xtask.toml and from XTASK_EXTRAS.
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
    xtask_remote::json::from_slice(&fs_err::read(stamp_file(workshop)).ok()?).ok()
}

/// The environment's state; `None` if it is incomplete.
fn stamp(workshop: &Workshop<'_>) -> Option<Stamp> {
    let environment = environment(workshop);
    let mut asked = String::new();
    for file in ["pyproject.toml", "uv.lock", ".python-version"] {
        let bytes = fs_err::read(workshop.context.root.join(file)).unwrap_or_default();
        asked.push_str(&sha256(&bytes));
    }
    asked.extend(extras(workshop).flat_map(|extra| [" ", extra]));
    let packages = packages(&environment)?;
    Some(Stamp {
        // A dangling link to an uninstalled interpreter does not count.
        interpreter: program(workshop).canonicalize_utf8().ok()?,
        packages_changed: fs_err::metadata(packages).ok()?.modified().ok(),
        environment: environment.canonicalize_utf8().ok()?,
        asked,
    })
}
