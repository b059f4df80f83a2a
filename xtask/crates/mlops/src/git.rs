//! git commands as methods. Local ones are here and in `git/`; those that contact a remote are in
//! `git/remote.rs` and `git/push.rs`.

mod additions;
mod apart;
mod blobs;
mod branch;
mod broken;
mod changes;
mod clone_state;
mod commit;
mod create;
mod history;
mod objects;
mod partial;
mod push;
mod push_target;
mod remote;
mod settings;
mod sign_in;
mod under_way;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use xshell::{Cmd, cmd};

use crate::child_env::{self, Program, sh};
use crate::context::{Context, Surroundings};
use crate::env::Env;
use crate::error::Failure;
use crate::interrupt::Interrupt;
use crate::process::{self, Finished};
use crate::ui::Ui;

pub(crate) use additions::Addition;
pub(crate) use blobs::Blobs;
pub(crate) use changes::{Change, Changed};
pub(crate) use history::Commit;
pub(crate) use objects::{Made, NewCommit};
pub(crate) use push::{Brings, Lease, Push};
pub(crate) use push_target::PushTarget;
pub(crate) use remote::{Remote, without_user};
pub(crate) use sign_in::Login;

/// The project's repository.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    root: Utf8PathBuf,
    env: Env,
    ui: Ui,
    interrupt: Interrupt,
    /// The credential of local commands in a partial clone, which may fetch.
    login: OnceLock<Login>,
    settings: settings::Settings,
    /// A folder with a separate index and object store, and the repository's own object store.
    apart: Option<(Utf8PathBuf, Utf8PathBuf)>,
}

impl Git {
    /// The repository around the project.
    pub(crate) fn open(context: &Context) -> anyhow::Result<Git> {
        let around = Surroundings {
            env: context.env.clone(),
            ui: context.ui.clone(),
            interrupt: context.interrupt.clone(),
        };
        let git = Git::at(&around, &context.root)?;
        git.must_open()?;
        Ok(git)
    }

    /// git in a folder, which need not be in a repository.
    pub(crate) fn at(around: &Surroundings, root: &Utf8Path) -> anyhow::Result<Git> {
        if which::which("git").is_err() {
            return Failure::missing("git is not on PATH")
                .next("install git: https://git-scm.com/downloads")
                .err();
        }
        Ok(Git {
            root: root.to_owned(),
            env: around.env.clone(),
            ui: around.ui.clone(),
            interrupt: around.interrupt.clone(),
            login: OnceLock::new(),
            settings: settings::Settings::default(),
            apart: None,
        })
    }

    /// Tracked files, and untracked ones that are not ignored; relative to the project.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<Utf8PathBuf>> {
        let listed = self.read(cmd!(
            sh(),
            "git ls-files -z --cached --others --exclude-standard"
        ))?;
        let mut files: Vec<Utf8PathBuf> = pieces(&listed).map(Utf8PathBuf::from).collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The checked-out commit; `None` before the first one.
    pub(crate) fn head(&self) -> Option<String> {
        self.resolve("HEAD")
    }

    /// The commit of a revision; `None` if there is none.
    pub(crate) fn resolve(&self, name: &str) -> Option<String> {
        let commit = format!("{name}^{{commit}}");
        self.read(cmd!(
            sh(),
            "git rev-parse --verify --quiet --end-of-options {commit}"
        ))
        .ok()
    }

    /// git in the clone.
    fn command(&self, line: Cmd<'_>) -> Command {
        self.command_of(Program::Git, line)
    }

    fn command_of(&self, kind: Program, line: Cmd<'_>) -> Command {
        let mut command = child_env::command(&self.env, kind, line, &self.root);
        // No LC_ALL: people read the output in their language, and only plumbing is parsed.
        command.env("GIT_OPTIONAL_LOCKS", "0");
        if let Some((folder, objects)) = &self.apart {
            command
                .env("GIT_INDEX_FILE", folder.join("index"))
                .env("GIT_OBJECT_DIRECTORY", folder.join("objects"))
                .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
        }
        command
    }

    /// git that ignores replace refs, and that may fetch what a partial clone lacks.
    fn plumbing(&self, line: Cmd<'_>) -> Command {
        let mut command = self.command_of(Program::GitRemote, line);
        command.env("GIT_NO_REPLACE_OBJECTS", "1");
        if let Some(login) = self.login.get() {
            self.sign_in_without_hooks(&mut command, login);
        }
        command
    }

    /// Runs a local git command, whatever its exit code. It may change git's settings, by a hook or another
    /// branch's files.
    fn run(&self, line: Cmd<'_>) -> anyhow::Result<Finished> {
        let finished = process::run(&self.ui, &self.interrupt, self.command(line), &mut |_| ());
        self.forget_settings();
        finished
    }

    /// The output of a local git command, without the last newline.
    fn read(&self, line: Cmd<'_>) -> anyhow::Result<String> {
        let printed = self.printed(self.command(line), None)?;
        let text = String::from_utf8_lossy(&printed).into_owned();
        Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
    }

    /// The output of a local git command with `input` on stdin.
    fn fed(&self, line: Cmd<'_>, input: String) -> anyhow::Result<String> {
        let printed = self.printed(self.plumbing(line), Some(input))?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    /// The output of a command as bytes, for file contents.
    fn printed(&self, mut command: Command, input: Option<String>) -> anyhow::Result<Vec<u8>> {
        let line = process::typed(&command);
        self.ui.explain(&line);
        let stdin = input.as_ref().map_or_else(Stdio::null, |_| Stdio::piped());
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // Written in a thread: with large input and output both sides would block.
        let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
            std::thread::spawn(move || stdin.write_all(input.as_bytes()))
        });
        let output = child.wait_with_output()?;
        let _ = writer.map(std::thread::JoinHandle::join);
        if output.status.success() {
            return Ok(output.stdout);
        }
        Failure::failed(format!("`{line}` ended with {}", output.status))
            .details(String::from_utf8_lossy(&output.stderr))
            .err()
    }
}

/// Splits a NUL-terminated list.
fn pieces(listed: &str) -> impl Iterator<Item = &str> {
    listed.split('\0').filter(|piece| !piece.is_empty())
}
