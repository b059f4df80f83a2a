//! Committing, and the user's editor.

use std::process::Command;

use camino::Utf8Path;

use super::Git;
use crate::child_env::{self, Program};
use crate::error::{Failure, Kind};
use crate::process;

impl Git {
    /// Whether git has an author and a committer identity.
    pub(crate) fn has_identity(&self) -> bool {
        let known = |who: &str| self.run(&["var", who]).is_ok_and(|finished| finished.ok());
        known("GIT_AUTHOR_IDENT") && known("GIT_COMMITTER_IDENT")
    }

    /// Commits everything that [`Git::uncommitted`] lists. The message is passed in a file, so that it may
    /// contain anything.
    pub(crate) fn commit_everything(&self, message: &str) -> anyhow::Result<()> {
        if !self.read(&["ls-files", "--unmerged", "-z"])?.is_empty() {
            // Adding such a file would mark it as resolved.
            return Failure::new(
                Kind::Failed,
                "cannot commit files with unresolved conflicts",
            )
            .next("git status")
            .err();
        }
        let top = self.read(&["rev-parse", "--show-toplevel"])?;
        let file = tempfile_in(
            &Utf8Path::new(&self.git_folder()?).join("xtask-message"),
            message,
        )?;
        let progress = self
            .ui
            .progress("Committing", "all changes; hooks may take a while");
        let staged = self.run(&["-C", &top, "add", "--all"])?;
        let finished = match staged.ok() {
            true => self.run(&[
                "commit",
                "--quiet",
                "--cleanup=whitespace",
                "--file",
                file.as_str(),
            ])?,
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
        Failure::new(Kind::Failed, "could not commit the changes")
            .details(finished.tail)
            .next(next)
            .err()
    }

    /// Whether a file on disk differs from the staged one.
    fn differs_from_index(&self) -> bool {
        let _ = self.run(&["update-index", "-q", "--refresh"]);
        self.run(&["diff-files", "--quiet"])
            .is_ok_and(|finished| finished.status.code() == Some(1))
    }

    /// The `.git` folder.
    pub(crate) fn git_folder(&self) -> anyhow::Result<String> {
        self.read(&["rev-parse", "--absolute-git-dir"])
    }

    /// Opens a file in git's editor and waits until it is closed.
    pub(crate) fn edit(&self, file: &Utf8Path) -> anyhow::Result<()> {
        let editor = self.read(&["var", "GIT_EDITOR"])?;
        // git passes the setting to a shell, as it may contain options.
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{editor} \"$@\""), &editor, file.as_str()])
            .current_dir(&self.root);
        child_env::surround(&self.env, Program::Git, &mut command);
        self.ui.explain(&process::typed(&command));
        let status = self.ui.suspended(|| command.status())?;
        if status.success() {
            return Ok(());
        }
        Failure::new(
            Kind::Failed,
            format!("the editor `{editor}` failed with {status}"),
        )
        .next("git config core.editor EDITOR")
        .err()
    }
}

fn tempfile_in(path: &Utf8Path, text: &str) -> anyhow::Result<camino::Utf8PathBuf> {
    fs_err::write(path, text)?;
    Ok(path.to_owned())
}
