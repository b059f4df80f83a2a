//! Committing, and the user's editor.

use camino::Utf8Path;
use xshell::cmd;

use super::Git;
use crate::child_env::{self, Program, sh};
use crate::error::Failure;
use crate::process;

impl Git {
    /// Whether git has an author and a committer identity.
    pub(crate) fn has_identity(&self) -> bool {
        let known = |line| self.run(line).is_ok_and(|finished| finished.ok());
        known(cmd!(sh(), "git var GIT_AUTHOR_IDENT"))
            && known(cmd!(sh(), "git var GIT_COMMITTER_IDENT"))
    }

    /// Commits everything that [`Git::uncommitted`] lists. The message is passed in a file, so that it may
    /// contain anything.
    pub(crate) fn commit_everything(&self, message: &str) -> anyhow::Result<()> {
        let unmerged = self.read(cmd!(sh(), "git ls-files --unmerged -z"))?;
        if !unmerged.is_empty() {
            // Adding such a file would mark it as resolved.
            return Failure::failed("cannot commit files with unresolved conflicts")
                .next("git status")
                .err();
        }
        let top = self.top()?;
        let file = Utf8Path::new(&self.git_folder()?).join("xtask-message");
        fs_err::write(&file, message)?;
        let progress = self
            .ui
            .progress("Committing", "all changes; hooks may take a while");
        let staged = self.run(cmd!(sh(), "git -C {top} add --all"))?;
        let commit = cmd!(
            sh(),
            "git commit --quiet --cleanup=whitespace --file {file}"
        );
        let finished = match staged.ok() {
            true => self.run(commit)?,
            false => staged,
        };
        progress.clear();
        let _ = fs_err::remove_file(&file);
        if finished.ok() {
            return Ok(());
        }
        let next = match self.differs_from_index() {
            true => "a hook changed files: review them with `git diff`, then run it again",
            false => "fix what git or the hook reports, then run it again",
        };
        Failure::failed("could not commit the changes")
            .details(finished.tail)
            .next(next)
            .err()
    }

    /// Whether a file on disk differs from the staged one.
    fn differs_from_index(&self) -> bool {
        let _ = self.run(cmd!(sh(), "git update-index -q --refresh"));
        self.run(cmd!(sh(), "git diff-files --quiet"))
            .is_ok_and(|finished| finished.status.code() == Some(1))
    }

    pub(crate) fn git_folder(&self) -> anyhow::Result<String> {
        self.read(cmd!(sh(), "git rev-parse --absolute-git-dir"))
    }

    /// Opens a file in git's editor and waits until it is closed.
    pub(crate) fn edit(&self, file: &Utf8Path) -> anyhow::Result<()> {
        let editor = self.read(cmd!(sh(), "git var GIT_EDITOR"))?;
        // git passes the setting to a shell, as it may contain options.
        let script = format!("{editor} \"$@\"");
        let line = cmd!(sh(), "sh -c {script} {editor} {file}");
        let mut command = child_env::command(&self.env, Program::Git, line, &self.root);
        self.ui.explain(&process::typed(&command));
        let status = self.ui.suspended(|| command.status())?;
        if status.success() {
            return Ok(());
        }
        Failure::failed(format!("the editor `{editor}` failed with {status}"))
            .next("git config core.editor EDITOR")
            .err()
    }
}
