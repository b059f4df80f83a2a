//! Explains why git does not open a repository, with the remedy.

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;

use super::Git;
use crate::child_env::sh;
use crate::error::Failure;

impl Git {
    /// Checks that git opens the repository.
    pub(super) fn must_open(&self) -> anyhow::Result<()> {
        let line = cmd!(sh(), "git rev-parse --git-dir");
        // One refusal is recognised only by its English text.
        let output = self.command(line.env("LC_ALL", "C")).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(not_opened(&self.root, &said).into())
    }
}

/// Why git does not open the repository around a folder, from its output and the files on disk.
fn not_opened(root: &Utf8Path, said: &str) -> Failure {
    if let Some(path) = owned_by_another(said) {
        return Failure::failed(format!(
            "git refuses to open {path}: the repository belongs to another user"
        ))
        .details(said)
        .next(format!(
            "git config --global --add safe.directory {path}   # only if you trust its owner"
        ));
    }
    let Some(mark) = mark_of(root) else {
        return Failure::usage(format!("{root} is not in a git repository"))
            .details(said)
            .next("git init && git add -A && git commit");
    };
    let failure =
        Failure::failed(format!("git cannot open the repository of {root}")).details(said);
    match leads_nowhere(&mark) {
        Some(gone) => failure.next(format!(
            "git -C REPOSITORY worktree repair {}   # {gone} is missing: replace REPOSITORY with its new path",
            mark.parent().unwrap_or(root)
        )),
        None => failure.next(format!("git -C {root} status   # then fix what it reports")),
    }
}

/// The path of a repository that git refuses for its owner.
fn owned_by_another(said: &str) -> Option<&str> {
    let line = said
        .lines()
        .find(|line| line.contains("dubious ownership"))?;
    line.split('\'').nth(1)
}

/// The nearest `.git`: a folder, or the file of a linked worktree or submodule.
fn mark_of(root: &Utf8Path) -> Option<Utf8PathBuf> {
    root.ancestors()
        .map(|folder| folder.join(".git"))
        .find(|mark| mark.exists())
}

/// The missing folder that a `.git` file names.
fn leads_nowhere(mark: &Utf8Path) -> Option<Utf8PathBuf> {
    let text = fs_err::read_to_string(mark).ok()?;
    let folder = mark.parent()?.join(text.trim().strip_prefix("gitdir: ")?);
    (!folder.exists()).then_some(folder)
}
