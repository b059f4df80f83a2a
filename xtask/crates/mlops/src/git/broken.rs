//! A repository that git does not open: its own words, and the command that helps.

use camino::{Utf8Path, Utf8PathBuf};

use super::Git;
use crate::error::{Failure, Kind};

impl Git {
    /// Has git open the repository.
    ///
    /// # Errors
    /// [`Kind::Usage`] where there is none, [`Kind::Failed`] with git's words where it does not open.
    pub(super) fn must_open(&self) -> anyhow::Result<()> {
        let mut command = self.command(&["rev-parse", "--git-dir"]);
        // One refusal is known by its words only.
        command.env("LC_ALL", "C");
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(not_opened(&self.root, &said).into())
    }
}

/// Why git does not open the repository around a folder, from what it said and what is on disk.
fn not_opened(root: &Utf8Path, said: &str) -> Failure {
    if let Some(path) = owned_by_another(said) {
        let what = format!("the repository {path} belongs to another user: git does not open it");
        return Failure::new(Kind::Failed, what).details(said).next(format!(
            "git config --global --add safe.directory {path}   # if you trust its owner"
        ));
    }
    let Some(mark) = mark_of(root) else {
        return Failure::new(Kind::Usage, format!("{root} is not in a git repository"))
            .details(said)
            .next("git init && git add -A && git commit");
    };
    let failure = Failure::new(
        Kind::Failed,
        format!("git does not open the repository of {root}"),
    )
    .details(said);
    match leads_nowhere(&mark) {
        Some(gone) => failure.next(format!(
            "git -C THE-REPOSITORY worktree repair {}   # {gone} is gone: say where its repository is now",
            mark.parent().unwrap_or(root)
        )),
        None => failure.next(format!("git -C {root} status   # mend what it complains about")),
    }
}

/// The path of a repository that git does not open because of who owns it.
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

/// The folder that a `.git` file names and that is not there.
fn leads_nowhere(mark: &Utf8Path) -> Option<Utf8PathBuf> {
    let text = fs_err::read_to_string(mark).ok()?;
    let folder = mark.parent()?.join(text.trim().strip_prefix("gitdir: ")?);
    (!folder.exists()).then_some(folder)
}
