//! The folder of installed tools, its cached state, and how programs run for it.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use xshell::{Cmd, cmd};

use super::lock::{ToolsLock, Version};
use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::process::{self, Finished};

/// Written last into a tool's folder: a folder without it is incomplete.
const STAMP: &str = "complete";
/// The timeout of a program that only says what it is, long enough for a loaded machine.
pub(super) const ASKING: Duration = Duration::from_secs(60);

/// What checks and installations of tools share.
#[derive(Debug)]
pub(crate) struct Workshop<'c> {
    /// The command's context.
    pub(crate) context: &'c Context,
    /// Versions and digests.
    pub(crate) lock: ToolsLock,
    /// The folder of installed tools, `.xtask/tools`.
    pub(crate) folder: Utf8PathBuf,
    versions: Mutex<BTreeMap<String, Known>>,
}

/// The cached version of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    modified: i128,
    bytes: u64,
    version: String,
}

impl<'c> Workshop<'c> {
    /// Reads tools.lock and the cached versions.
    pub(crate) fn open(context: &'c Context) -> anyhow::Result<Workshop<'c>> {
        let folder = context.local().join("tools");
        let versions = fs_err::read(folder.join("versions.json"))
            .ok()
            .and_then(|bytes| xtask_remote::json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Ok(Workshop {
            context,
            lock: ToolsLock::read(&context.root)?,
            folder,
            versions: Mutex::new(versions),
        })
    }

    /// A command in the project's folder.
    pub(crate) fn command(&self, kind: Program, line: Cmd<'_>) -> Command {
        child_env::command(&self.context.env, kind, line, &self.context.root)
    }

    /// Runs a download or build, which may take long and is killed on Ctrl-C.
    pub(crate) fn run(
        &self,
        mut command: Command,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Finished> {
        // Its own process group, so that Ctrl-C ends its compilers as well.
        command.process_group(0);
        process::run(&self.context.ui, &self.context.interrupt, command, on_line)
    }

    /// Runs a quick command.
    pub(crate) fn ask(&self, command: Command, limit: Duration) -> anyhow::Result<Finished> {
        let Context { ui, interrupt, .. } = self.context;
        process::run_within(ui, interrupt, command, Some(limit), &mut |_| ())
    }

    /// A program on the user's PATH.
    pub(crate) fn on_path(&self, program: &str) -> Option<Utf8PathBuf> {
        let paths = self.context.env.get("PATH")?;
        let found = which::which_in(program, Some(paths), &self.context.env.cwd).ok()?;
        Utf8PathBuf::try_from(found).ok()
    }

    /// The version of a program, cached while its file stays the same. `None` if it cannot be run or
    /// reports none.
    pub(crate) fn version(&self, program: &Utf8Path, args: &[&str]) -> Option<Version> {
        let file = fs_err::metadata(program).ok()?;
        let modified = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
        let known = self.remembered(program);
        if let Some(known) = known.filter(|k| k.modified == modified && k.bytes == file.len()) {
            return Version::find(&known.version);
        }
        let line = cmd!(sh(), "{program} {args...}").env("GOTOOLCHAIN", "local");
        let command = self.command(Program::Code, line);
        let said = self.ask(command, ASKING).ok().filter(Finished::ok)?.tail;
        let version = Version::find(&said)?;
        self.remember(
            program,
            Known {
                modified,
                bytes: file.len(),
                version: version.to_string(),
            },
        );
        Some(version)
    }

    fn remembered(&self, program: &Utf8Path) -> Option<Known> {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.get(program.as_str()).cloned()
    }

    fn remember(&self, program: &Utf8Path, known: Known) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.insert(program.to_string(), known);
        // A cache only: without it the program is asked again.
        if let Ok(bytes) = serde_json::to_vec_pretty(&*versions) {
            let _ = crate::files::replace(&self.folder.join("versions.json"), &bytes);
        }
    }

    /// The folder of an installed tool, if complete.
    pub(crate) fn installed(&self, name: &str) -> Option<Utf8PathBuf> {
        let home = self.folder.join(name);
        home.join(STAMP).is_file().then_some(home)
    }

    /// Creates the folder of a tool atomically: `fill` works in a temporary folder beside it.
    pub(crate) fn install(
        &self,
        name: &str,
        fill: impl FnOnce(&Utf8Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Utf8PathBuf> {
        let (home, partial) = (
            self.folder.join(name),
            self.folder.join(format!("{name}.partial")),
        );
        remove(&partial)?;
        fs_err::create_dir_all(&partial)?;
        fill(&partial)?;
        fs_err::write(partial.join(STAMP), "")?;
        remove(&home)?;
        fs_err::rename(&partial, &home)?;
        Ok(home)
    }

    /// Locks the folder against other xtask processes of this clone, and waits for them. The lock lasts as
    /// long as the returned file.
    pub(crate) fn alone(&self) -> anyhow::Result<File> {
        fs_err::create_dir_all(&self.folder)?;
        let file = File::create(self.folder.join("lock"))?;
        let mut told = false;
        while let Err(error) = file.try_lock() {
            if let std::fs::TryLockError::Error(error) = error {
                return Err(error.into());
            }
            if !told {
                self.context.ui.status(
                    "Waiting",
                    "for another xtask that installs tools into this folder",
                );
                told = true;
            }
            self.context.interrupt.check()?;
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(file)
    }
}

/// Removes a folder if it exists.
pub(crate) fn remove(folder: &Utf8Path) -> std::io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
