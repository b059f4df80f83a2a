//! Writing a project: whole into a folder beside its place, with its first commit, and then moved there.

use std::os::unix::fs::OpenOptionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;

use super::answers::Answers;
use super::record;
use super::template::Files;
use super::tool::Tool;
use crate::child_env::{self, Program, sh};
use crate::context::Surroundings;
use crate::error::Failure;
use crate::git::Git;
use crate::process;
use crate::temporary::Temporary;
use crate::vars;

/// Everything that is written.
#[derive(Debug)]
pub(super) struct Project<'a> {
    pub(super) folder: &'a Utf8Path,
    pub(super) answers: &'a Answers,
    pub(super) files: Files,
    pub(super) tool: &'a Tool,
    pub(super) vendor: bool,
    /// The branch of the first commit.
    pub(super) branch: &'a str,
}

impl Project<'_> {
    /// Writes it; returns the first commit. Nothing is left of it unless all of it is there.
    pub(super) fn write(mut self, around: &Surroundings) -> anyhow::Result<String> {
        let parent = self.folder.parent().unwrap_or(Utf8Path::new("/"));
        let name = self.folder.file_name().unwrap_or_default();
        let staged = Temporary::path(&parent.join(format!(".{name}.init")));
        let root: &Utf8Path = &staged;
        fs_err::create_dir(root)?;
        for (path, file) in &self.files {
            around.interrupt.check()?;
            let mode = if file.executable { 0o777 } else { 0o666 };
            put(&root.join(path), &file.bytes, mode)?;
        }
        if !self.vendor {
            self.lock(around, root)?;
        }
        let record = record::text(self.tool.version(self.vendor), self.answers, &self.files)?;
        put(&root.join(record::FILE), record.as_bytes(), 0o666)?;
        around.interrupt.check()?;
        let git = Git::at(around, root)?;
        git.init(self.branch)?;
        let commit = git.commit_first(&format!("Begin {}", self.answers.name))?;
        if let Some(url) = &self.answers.github {
            git.add_remote("origin", url)?;
        }
        around.interrupt.check()?;
        // An empty folder may be there.
        fs_err::rename(root, self.folder)?;
        Ok(commit)
    }

    /// Makes Cargo.lock: the tool's own has the versions that it was tested with, and cargo drops what the project
    /// does not need.
    fn lock(&mut self, around: &Surroundings, root: &Utf8Path) -> anyhow::Result<()> {
        let lock = root.join("Cargo.lock");
        fs_err::copy(self.tool.folder().join("Cargo.lock"), &lock)?;
        let cargo = around.env.get(vars::CARGO).map(Utf8PathBuf::from);
        let found = || {
            which::which("cargo")
                .ok()
                .and_then(|path| Utf8PathBuf::try_from(path).ok())
        };
        let Some(cargo) = cargo.or_else(found) else {
            return Failure::missing("cargo is not on PATH; it locks the tool's version")
                .next("install Rust: https://rustup.rs")
                .err();
        };
        let progress = around.ui.progress("Locking", "the crates of the tool");
        // With what is fetched already, where that is enough.
        let mut finished = None;
        for offline in [true, false] {
            if finished.as_ref().is_some_and(process::Finished::ok)
                || (!offline && around.env.offline)
            {
                break;
            }
            let offline = offline.then_some("--offline");
            let line = cmd!(sh(), "{cargo} update --workspace {offline...}");
            let command = child_env::command(&around.env, Program::Cargo, line, root);
            finished = Some(process::run(
                &around.ui,
                &around.interrupt,
                command,
                &mut |_| (),
            )?);
        }
        progress.clear();
        match finished {
            Some(finished) if finished.ok() => {}
            finished => {
                let what = format!("cargo cannot take the tool from {}", self.tool.place());
                return Failure::failed(what)
                    .details(finished.map(|finished| finished.tail).unwrap_or_default())
                    .next("name a repository that this machine reaches: `cargo xtask init --tool URL`")
                    .err();
            }
        }
        let file = super::template::File {
            bytes: fs_err::read(&lock)?,
            executable: false,
        };
        self.files.insert("Cargo.lock".into(), file);
        Ok(())
    }
}

fn put(path: &Utf8Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    use std::io::Write as _;
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut options = fs_err::OpenOptions::new();
    options.create_new(true).write(true);
    options.options_mut().mode(mode);
    options.open(path)?.write_all(bytes)
}
