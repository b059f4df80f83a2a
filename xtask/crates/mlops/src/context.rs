//! What every command gets: the project's root, its configuration, the environment, the terminal.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use xtask_remote::{Patience, Pause};

use crate::config::Config;
use crate::env::Env;
use crate::error::Failure;
use crate::interrupt::Interrupt;
use crate::ui::{self, Ui};

/// The surroundings of a command.
#[derive(Debug)]
pub struct Context {
    /// The folder that holds xtask.toml and databricks.yml.
    pub root: Utf8PathBuf,
    /// What xtask.toml says.
    pub config: Config,
    /// What the environment says.
    pub(crate) env: Env,
    /// The terminal.
    pub ui: Ui,
    /// Ctrl-C.
    pub(crate) interrupt: Interrupt,
    /// How long calls may wait in total where a command must not stop half-way; see
    /// [`Target::patient`](crate::databricks::Target::patient).
    pub(crate) patience: Patience,
}

/// What there is before a project is found.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// What the environment says.
    pub(crate) env: Env,
    /// The terminal.
    pub(crate) ui: Ui,
    /// Ctrl-C.
    pub(crate) interrupt: Interrupt,
}

impl Surroundings {
    /// Listens for Ctrl-C from here on.
    pub(crate) fn new(env: Env, ui: Ui) -> anyhow::Result<Surroundings> {
        Ok(Surroundings {
            env,
            ui,
            interrupt: Interrupt::listen()?,
        })
    }
}

/// The name of [`Context::local`].
const LOCAL: &str = ".xtask";

/// Five minutes: as long as the Databricks CLI and SDKs wait for one call.
const PATIENCE: Duration = Duration::from_secs(300);

impl Context {
    /// Finds the project around the current folder and reads its configuration.
    pub(crate) fn find(around: Surroundings) -> anyhow::Result<Context> {
        let root = project_root(&around.env.cwd)?;
        keep_out_of_git(&root.join(LOCAL));
        let config = Config::read(&root.join("xtask.toml"))?;
        Ok(Context {
            root,
            config,
            env: around.env,
            ui: around.ui,
            interrupt: around.interrupt,
            patience: Patience::new(PATIENCE),
        })
    }

    /// How to wait before a retry: longer waits are reported, and Ctrl-C ends them.
    pub(crate) fn pause(&self) -> Pause {
        let (ui, interrupt) = (self.ui.clone(), self.interrupt.clone());
        Arc::new(move |wait, error| {
            if wait.as_secs() >= 2 {
                let said = error.to_string();
                let text = format!("{}: {}", ui::seconds(wait), ui::safe(&said));
                ui.status("Waiting", &text);
            }
            interrupt.sleep(wait)
        })
    }

    /// The folder for everything local to this clone; git ignores it.
    pub fn local(&self) -> Utf8PathBuf {
        self.root.join(LOCAL)
    }
}

/// Makes git ignore the folder, whatever the project's own .gitignore says, and with git the bundle's
/// upload, open-pr and the test cache. The folder holds tokens.
fn keep_out_of_git(folder: &Utf8Path) {
    let rules = folder.join(".gitignore");
    if !rules.is_file() {
        // A read-only folder is not an error here; commands that write report it.
        let _ = fs_err::create_dir_all(folder).and_then(|()| fs_err::write(rules, "*\n"));
    }
}

/// The folder of the project around another folder.
///
/// # Errors
/// Where there is none.
pub(crate) fn project_root(cwd: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    cwd.ancestors()
        .find(|folder| folder.join("xtask.toml").is_file())
        .map(Utf8Path::to_owned)
        .ok_or_else(|| {
            Failure::usage(format!(
                "no project found: no xtask.toml in {cwd} or any folder above it"
            ))
            .next("cd into the project's folder and run it again")
            .into()
        })
}
