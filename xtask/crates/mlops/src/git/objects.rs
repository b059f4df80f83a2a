//! Creates commits from trees and writes trees to disk, without touching the work tree.

use camino::{Utf8Path, Utf8PathBuf};
use xshell::{Cmd, cmd};

use super::{Git, pieces};
use crate::child_env::sh;
use crate::error::Failure;

/// A commit with its tree and parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// The full SHA.
    pub(crate) sha: String,
    /// Its files.
    pub(crate) tree: String,
    /// Its parents, the first parent first.
    pub(crate) parents: Vec<String>,
    pub(crate) author: String,
    /// Its whole message.
    pub(crate) message: String,
}

impl Made {
    /// The first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default().trim()
    }

    /// The value of a trailer `NAME: VALUE`.
    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        let last = self.message.trim_end().rsplit("\n\n").next()?;
        let prefix = format!("{name}: ");
        last.lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .map(str::trim)
    }
}

/// A commit to create.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewCommit<'a> {
    /// Its files.
    pub(crate) tree: &'a str,
    pub(crate) parents: &'a [&'a str],
    pub(crate) message: &'a str,
    /// Its time in seconds since 1970: the same input gives the same commit.
    pub(crate) at: i64,
}

impl Git {
    /// The tree of a commit.
    pub(crate) fn tree(&self, commit: &str) -> anyhow::Result<String> {
        let tree = format!("{commit}^{{tree}}");
        self.read(cmd!(sh(), "git rev-parse --verify --end-of-options {tree}"))
    }

    pub(crate) fn empty_tree(&self) -> anyhow::Result<String> {
        self.read(cmd!(sh(), "git hash-object -t tree -w /dev/null"))
    }

    /// The time of a commit in seconds since 1970.
    pub(crate) fn made_at(&self, commit: &str) -> anyhow::Result<i64> {
        let told = self.read(cmd!(sh(), "git show --no-patch --format=%ct {commit} --"))?;
        Ok(told.trim().parse().unwrap_or_default())
    }

    /// Creates a commit without a branch and without a checkout.
    pub(crate) fn make_commit(&self, new: NewCommit<'_>) -> anyhow::Result<String> {
        let NewCommit { tree, message, .. } = new;
        let parents = new.parents.iter().flat_map(|parent| ["-p", parent]);
        // `git commit` signs by this setting, and `commit-tree` does not look at it.
        let signed = self.is_set("commit.gpgSign").then_some("-S");
        let at = format!("{} +0000", new.at);
        let line = cmd!(
            sh(),
            "git commit-tree {tree} {parents...} -m {message} {signed...}"
        )
        .env("GIT_AUTHOR_DATE", &at)
        .env("GIT_COMMITTER_DATE", &at);
        let output = self.command(line).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Failure::failed("could not create the commit")
            .details(String::from_utf8_lossy(&output.stderr))
            .next("git commit --allow-empty   # to check your commit and signing settings")
            .err()
    }

    /// One commit.
    pub(crate) fn made(&self, commit: &str) -> anyhow::Result<Made> {
        let found = self.log(cmd!(sh(), "git log --no-walk {commit}"))?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| Failure::usage(format!("no such commit: {commit}")).into())
    }

    /// The commits in `head` but not in `without`, newest first.
    pub(crate) fn reached(&self, head: &str, without: &[&str]) -> anyhow::Result<Vec<Made>> {
        self.log(cmd!(sh(), "git log {head} --not {without...}"))
    }

    /// The same by first parents only: the history of the branch itself.
    pub(crate) fn line(&self, head: &str, without: &[&str]) -> anyhow::Result<Vec<Made>> {
        self.log(cmd!(
            sh(),
            "git log --first-parent {head} --not {without...}"
        ))
    }

    /// The commits in `head` whose change is not in `base` (by patch id), without merges.
    pub(crate) fn only_in(&self, head: &str, base: &str) -> anyhow::Result<Vec<Made>> {
        self.log(cmd!(
            sh(),
            "git log --no-merges --cherry-pick --right-only {base}...{head}"
        ))
    }

    fn log(&self, line: Cmd<'_>) -> anyhow::Result<Vec<Made>> {
        let format = [
            "-z",
            "--no-show-signature",
            "--encoding=UTF-8",
            "--format=%H%n%T%n%P%n%an%n%B",
            "--",
        ];
        let listed = self.read(line.args(format))?;
        Ok(pieces(&listed).filter_map(made).collect())
    }

    /// The tree of a merge of `head` into `base`; `None` on conflicts, without a common history, or before
    /// git 2.38.
    pub(crate) fn merged_tree(&self, base: &str, head: &str) -> anyhow::Result<Option<String>> {
        let line = cmd!(
            sh(),
            "git merge-tree --write-tree --no-messages {base} {head}"
        );
        let finished = self.run(line)?;
        let tree = finished.stdout.lines().next().map(str::to_owned);
        Ok(tree.filter(|_| finished.ok()))
    }

    /// Writes the files of a commit into a folder. The index and the work tree stay untouched.
    pub(crate) fn lay_out(&self, commit: &str, folder: &Utf8Path) -> anyhow::Result<()> {
        fs_err::create_dir_all(folder)?;
        let index: Utf8PathBuf = folder.with_extension("index");
        let top = self.top()?;
        for line in [
            cmd!(sh(), "git read-tree {commit}"),
            cmd!(sh(), "git checkout-index --all --force --prefix={folder}/"),
        ] {
            let mut command = self.command(line);
            command.current_dir(&top).env("GIT_INDEX_FILE", &index);
            self.ui.explain(&crate::process::typed(&command));
            let output = command.output()?;
            if !output.status.success() {
                return Failure::failed(format!("could not write the files of {commit} to disk"))
                    .details(String::from_utf8_lossy(&output.stderr))
                    .err();
            }
        }
        let _ = fs_err::remove_file(&index);
        Ok(())
    }
}

fn made(listed: &str) -> Option<Made> {
    let mut parts = listed.splitn(5, '\n');
    let mut next = || parts.next();
    Some(Made {
        sha: next()?.to_owned(),
        tree: next()?.to_owned(),
        parents: next()?.split_whitespace().map(str::to_owned).collect(),
        author: next()?.to_owned(),
        message: next().unwrap_or_default().trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_stands_in_the_last_paragraph() {
        let of = |message: &str| made(&format!("a\nt\np q\nAnn\n{message}")).unwrap();
        let commit = of("Subject\n\nBack-To: fake\n\nUndone: abc\nBack-To: def\n");
        assert_eq!(commit.parents, ["p", "q"]);
        assert_eq!(commit.subject(), "Subject");
        assert_eq!(commit.trailer("Back-To"), Some("def"));
        assert_eq!(commit.trailer("Back"), None);
        assert_eq!(of("Subject").trailer("Back-To"), None);
    }
}
