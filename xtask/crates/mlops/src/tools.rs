//! The programs that a command needs: found on PATH, or installed into the project's folder.
//!
//! Each tool has a `look` (cheap, changes nothing) and a `fetch`; [`ready`] looks at all, prompts once, and
//! installs what is missing in parallel, into `.xtask/tools` and `.venv`, atomically.

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

/// A tool that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The project's locked Python environment (fetches uv where it is missing).
    Python,
    /// The environment of notebooks on the local workspace: the project's, or the local workspace's own if
    /// the project has none.
    NotebookPython,
    /// uv itself, even when the environment is up to date.
    Uv,
    DatabricksCli,
    /// The local workspace program, built from crates/workspace.
    WorkspaceProgram,
    /// The local workspace's own Python: MLflow and the notebook kernel.
    WorkspacePython,
}

impl Need {
    /// The tools for starting a local workspace.
    pub(crate) const LOCAL_WORKSPACE: &[Need] = &[
        Need::NotebookPython,
        Need::WorkspaceProgram,
        Need::WorkspacePython,
    ];
    /// The tools of commands that deploy or call a workspace.
    pub(crate) const FOR_A_WORKSPACE: &[Need] = &[
        Need::NotebookPython,
        Need::DatabricksCli,
        Need::WorkspaceProgram,
        Need::WorkspacePython,
    ];
    /// The tools for downloading a model version and predicting with it.
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

/// Paths of the requested tools; the others are empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toolbox {
    /// The interpreter of the project's environment, or of the local workspace's if the project has none.
    pub(crate) python: Utf8PathBuf,
    /// The interpreter with MLflow: it runs the local workspace's server and the client that transfers
    /// models.
    pub(crate) mlflow: Utf8PathBuf,
    /// The folder of packages that notebooks can import besides those of their project.
    pub(crate) kernel: Utf8PathBuf,
    /// The Databricks CLI.
    pub(crate) databricks: Utf8PathBuf,
    /// The local workspace program.
    pub(crate) workspace: Utf8PathBuf,
    pub(crate) uv: Utf8PathBuf,
    /// The folder of jars for Spark sessions; it may be missing.
    pub(crate) spark_jars: Utf8PathBuf,
}

/// The state of one tool.
#[derive(Debug)]
enum Sight<P> {
    /// Installed: its path, and its version or state.
    Here(Utf8PathBuf, String),
    /// It can be installed with this plan.
    Fetch(P),
    /// It cannot be installed; the failure says why and what to do.
    Cannot(Failure),
}

/// A tool that will be downloaded or built.
#[derive(Debug, Clone)]
struct Item {
    what: String,
    /// Source, size, duration, licence.
    how: String,
    /// Peak disk usage in bytes.
    disk: u64,
    /// Whether to prompt first.
    asks: bool,
}

/// Go, where it is on PATH.
pub(crate) fn go(context: &Context) -> Option<Utf8PathBuf> {
    Workshop::open(context).ok()?.on_path("go")
}

/// The Databricks CLI if installed; downloads nothing.
pub(crate) fn databricks_cli(context: &Context) -> Option<Utf8PathBuf> {
    let workshop = Workshop::open(context).ok()?;
    let toolbox = Survey::take(&workshop, &[Need::DatabricksCli]).complete()?;
    Some(toolbox.databricks)
}

/// Installs the missing tools in parallel. Takes a few milliseconds when nothing is missing. Prompts once
/// at a terminal. All that cannot be installed is reported in one error.
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
                .warn(&format!("{error}; Spark notebooks run without it"));
        }
    }
    Ok(toolbox)
}

fn fetched(workshop: &Workshop<'_>, survey: Survey, needs: &[Need]) -> anyhow::Result<Toolbox> {
    let survey = permitted(workshop, survey)?;
    let _alone = workshop.alone()?;
    // Another xtask may have installed some while we prompted or waited.
    let again = Survey::take(workshop, needs);
    let survey = if again.items(workshop).len() < survey.items(workshop).len() {
        again
    } else {
        survey
    };
    fetch::all(workshop, &survey)
}

/// The folder of jars for the Spark version of an environment.
pub(crate) fn spark_jars(context: &Context, python: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let workshop = Workshop::open(context)?;
    delta::get(&workshop, python)?;
    Ok(delta::folder(&workshop).unwrap_or_default())
}

/// The tools if all are installed; downloads nothing and does not prompt.
pub(crate) fn at_hand(context: &Context, needs: &[Need]) -> Option<Toolbox> {
    let workshop = Workshop::open(context).ok()?;
    Survey::take(&workshop, needs).complete()
}

/// Checks what could prevent the installation: missing prerequisites, disk space, the user's consent.
fn permitted(workshop: &Workshop<'_>, mut survey: Survey) -> anyhow::Result<Survey> {
    let mut obstacles: Vec<anyhow::Error> = survey
        .take_obstacles()
        .into_iter()
        .map(Into::into)
        .collect();
    if workshop.context.env.offline {
        // The caches of uv and cargo may be enough; trying is quick, and reports everything that is missing
        // at once.
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
