//! The programs that a command needs: found, or fetched into the project's own folder.
//!
//! Each tool has a `look` (cheap, changes nothing) and a `fetch`; [`ready`] looks at all, asks once,
//! and fetches what is missing side by side. What is fetched lands in `.xtask/tools` and `.venv`,
//! whole or not at all.

#[cfg(windows)]
compile_error!(
    "xtask runs on Linux and macOS. On Windows use WSL: https://learn.microsoft.com/windows/wsl/install"
);

pub(crate) mod act;
mod archive;
mod cli_build;
mod consent;
mod databricks_cli;
mod delta;
mod disk;
pub(crate) mod doctor;
mod fetch;
mod go;
mod go_build;
pub(crate) mod kingfisher;
mod lock;
mod network;
pub(crate) mod own_source;
mod pypi;
mod python;
mod remedies;
mod survey;
mod uv;
mod venv;
mod workshop;
mod workspace_program;
mod workspace_python;

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::error::Failure;
pub(crate) use remedies::megabytes;
use survey::Survey;
use workshop::Workshop;

/// Something that a command cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The project's locked Python environment (fetches uv where it is missing).
    Python,
    /// What notebooks run in on the local workspace: the project's environment, or the local workspace's own
    /// where the project declares none.
    NotebookPython,
    /// uv itself, even when the environment is in step.
    Uv,
    /// The Databricks CLI.
    DatabricksCli,
    /// The local workspace program, built from crates/workspace.
    WorkspaceProgram,
    /// The local workspace's own Python: MLflow and the notebook kernel.
    WorkspacePython,
}

impl Need {
    /// What starting a local workspace takes.
    pub(crate) const LOCAL_WORKSPACE: &[Need] = &[
        Need::NotebookPython,
        Need::WorkspaceProgram,
        Need::WorkspacePython,
    ];
    /// What a command needs that deploys or talks to a workspace.
    pub(crate) const FOR_A_WORKSPACE: &[Need] = &[
        Need::NotebookPython,
        Need::DatabricksCli,
        Need::WorkspaceProgram,
        Need::WorkspacePython,
    ];
    /// What fetching a model's version and predicting with it takes.
    pub(crate) const FOR_A_MODEL: &[Need] = &[Need::NotebookPython, Need::WorkspacePython];
    /// Everything.
    pub(crate) const ALL: &[Need] = &[
        Need::Python,
        Need::Uv,
        Need::DatabricksCli,
        Need::WorkspaceProgram,
        Need::WorkspacePython,
    ];
}

/// Where the programs are that were asked for; the others are empty paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toolbox {
    /// The interpreter of the project's environment; of the local workspace's own where the project has none.
    pub(crate) python: Utf8PathBuf,
    /// The interpreter that has MLflow: the local workspace's server runs in it, and its client moves models.
    pub(crate) mlflow: Utf8PathBuf,
    /// The folder of the packages that notebooks find behind those of their project.
    pub(crate) kernel: Utf8PathBuf,
    /// The Databricks CLI.
    pub(crate) databricks: Utf8PathBuf,
    /// The local workspace program.
    pub(crate) workspace: Utf8PathBuf,
    /// uv.
    pub(crate) uv: Utf8PathBuf,
    /// The folder for jars that Spark sessions of notebooks find; it may be missing.
    pub(crate) spark_jars: Utf8PathBuf,
}

/// What a look at one tool has found.
#[derive(Debug)]
enum Sight<P> {
    /// It is here: its path, and its version or state in words.
    Here(Utf8PathBuf, String),
    /// It can be fetched or built so.
    Fetch(P),
    /// Neither; this says why and what to do.
    Cannot(Failure),
}

/// Something that will be fetched or built.
#[derive(Debug, Clone)]
struct Item {
    what: String,
    /// From where, how large, how long, under which licence.
    how: String,
    /// Bytes that it needs at its height.
    disk: u64,
    /// Whether the user is asked before.
    asks: bool,
}

/// Go, where it is on PATH.
pub(crate) fn go(context: &Context) -> Option<Utf8PathBuf> {
    Workshop::open(context).ok()?.on_path("go")
}

/// The Databricks CLI, if it is here; nothing is fetched.
pub(crate) fn databricks_cli(context: &Context) -> Option<Utf8PathBuf> {
    let workshop = Workshop::open(context).ok()?;
    let toolbox = Survey::take(&workshop, &[Need::DatabricksCli]).complete()?;
    Some(toolbox.databricks)
}

/// Sees to it that what is needed is here, fetching and building side by side. When all is in place
/// that costs a few milliseconds. At a terminal it asks once before it fetches.
///
/// # Errors
/// What is missing and cannot be fetched, all of it in one error; what failed on the way; a no from
/// the user; Ctrl-C.
pub(crate) fn ready(context: &Context, needs: &[Need]) -> anyhow::Result<Toolbox> {
    let workshop = Workshop::open(context)?;
    let survey = Survey::take(&workshop, needs);
    let mut toolbox = match survey.complete() {
        Some(toolbox) => toolbox,
        None => fetched(&workshop, survey, needs)?,
    };
    if needs.contains(&Need::WorkspaceProgram) {
        toolbox.spark_jars = delta::folder(&workshop).unwrap_or_default();
        if let Err(error) = delta::get(&workshop, &toolbox.python) {
            context.interrupt.check()?;
            context
                .ui
                .warn(&format!("{error}; notebooks with Spark go on without it"));
        }
    }
    Ok(toolbox)
}

fn fetched(workshop: &Workshop<'_>, survey: Survey, needs: &[Need]) -> anyhow::Result<Toolbox> {
    let survey = permitted(workshop, survey)?;
    let _alone = workshop.alone()?;
    // Another xtask may have fetched in the meantime, while we asked or waited.
    let again = Survey::take(workshop, needs);
    let survey = if again.items(workshop).len() < survey.items(workshop).len() {
        again
    } else {
        survey
    };
    fetch::all(workshop, &survey)
}

/// The folder of the jars for the Spark of an environment, named by its interpreter.
///
/// # Errors
/// When they are not here and cannot be fetched.
pub(crate) fn spark_jars(context: &Context, python: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let workshop = Workshop::open(context)?;
    delta::get(&workshop, python)?;
    Ok(delta::folder(&workshop).unwrap_or_default())
}

/// What is needed, where all of it is here already; nothing is fetched and nobody is asked.
pub(crate) fn at_hand(context: &Context, needs: &[Need]) -> Option<Toolbox> {
    let workshop = Workshop::open(context).ok()?;
    Survey::take(&workshop, needs).complete()
}

/// The survey, once nothing stands in the way of what it will fetch: obstacles, disk, the user.
fn permitted(workshop: &Workshop<'_>, mut survey: Survey) -> anyhow::Result<Survey> {
    let mut obstacles: Vec<anyhow::Error> = survey
        .take_obstacles()
        .into_iter()
        .map(Into::into)
        .collect();
    if workshop.context.env.offline {
        // What is here already (a cache of uv's, crates of cargo's) may do; the attempts are quick,
        // and everything that is missing is named at once.
        if let Err(error) = fetch::all(workshop, &survey) {
            obstacles.push(error);
        }
    }
    if !obstacles.is_empty() {
        return Err(fetch::combined(obstacles));
    }
    let items = survey.items(workshop);
    for note in survey.notes() {
        workshop.context.ui.warn(note);
    }
    if let Some(failure) = no_room(workshop, &items) {
        return failure.err();
    }
    consent::ask(workshop.context, &items)?;
    Ok(survey)
}

fn no_room(workshop: &Workshop<'_>, items: &[Item]) -> Option<Failure> {
    let needed = items.iter().map(|item| item.disk).sum();
    let free = disk::free(&workshop.folder)?;
    (free < needed).then(|| remedies::no_space(&workshop.context.root, needed, free))
}
