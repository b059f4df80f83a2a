//! Commits made of trees, and trees on disk, without touching what is checked out.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, pieces};
use crate::error::{Failure, Kind};

/// A commit with what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// 40 hex digits.
    pub(crate) sha: String,
    /// Its files.
    pub(crate) tree: String,
    /// What it follows, the first parent first.
    pub(crate) parents: Vec<String>,
    /// Who wrote it.
    pub(crate) author: String,
    /// Its whole message.
    pub(crate) message: String,
}

impl Made {
    /// The first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default().trim()
    }

    /// What a line `NAME: VALUE` of the message's last paragraph says.
    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        let last = self.message.trim_end().rsplit("\n\n").next()?;
        let prefix = format!("{name}: ");
        last.lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .map(str::trim)
    }
}

/// A commit that is to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewCommit<'a> {
    /// Its files.
    pub(crate) tree: &'a str,
    /// What it follows.
    pub(crate) parents: &'a [&'a str],
    /// Its message.
    pub(crate) message: &'a str,
    /// When it is made, in seconds since 1970: the same input makes the same commit.
    pub(crate) at: i64,
}

impl Git {
    /// The files of a commit, as one hash.
    ///
    /// # Errors
    /// When there is no such commit.
    pub(crate) fn tree(&self, commit: &str) -> anyhow::Result<String> {
        let tree = format!("{commit}^{{tree}}");
        self.read(&["rev-parse", "--verify", "--end-of-options", &tree])
    }

    /// The tree without files.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn empty_tree(&self) -> anyhow::Result<String> {
        self.read(&["hash-object", "-t", "tree", "-w", "/dev/null"])
    }

    /// When a commit was made, in seconds since 1970.
    ///
    /// # Errors
    /// When there is no such commit.
    pub(crate) fn made_at(&self, commit: &str) -> anyhow::Result<i64> {
        let told = self.read(&["show", "--no-patch", "--format=%ct", commit, "--"])?;
        Ok(told.trim().parse().unwrap_or_default())
    }

    /// Makes a commit; no branch leads to it, and nothing is checked out.
    ///
    /// # Errors
    /// When git does not know who commits.
    pub(crate) fn make_commit(&self, new: NewCommit<'_>) -> anyhow::Result<String> {
        let mut command = self.command(&["commit-tree", new.tree]);
        for parent in new.parents {
            command.args(["-p", parent]);
        }
        command.args(["-m", new.message]);
        // `git commit` signs by this setting, and `commit-tree` does not look at it.
        if self.is_set("commit.gpgSign") {
            command.arg("-S");
        }
        let at = format!("{} +0000", new.at);
        command
            .env("GIT_AUTHOR_DATE", &at)
            .env("GIT_COMMITTER_DATE", &at);
        let output = command.output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Failure::new(Kind::Failed, "the commit could not be made")
            .details(String::from_utf8_lossy(&output.stderr))
            .next("git commit --allow-empty   # does git commit, and sign, as you have set it up?")
            .err()
    }

    /// One commit.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(crate) fn made(&self, commit: &str) -> anyhow::Result<Made> {
        let found = self.log(&["--no-walk", commit])?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(Kind::Usage, format!("there is no commit {commit}")).into())
    }

    /// The commits that `head` leads to and none of `without` does, newest first.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn reached(&self, head: &str, without: &[&str]) -> anyhow::Result<Vec<Made>> {
        self.log(&[&[head, "--not"], without].concat())
    }

    /// The same, by first parents only: what happened to the branch itself.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn line(&self, head: &str, without: &[&str]) -> anyhow::Result<Vec<Made>> {
        self.log(&[&["--first-parent", head, "--not"], without].concat())
    }

    /// The commits that `head` has and `base` has not, neither themselves nor as the same change; without
    /// merges.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn only_in(&self, head: &str, base: &str) -> anyhow::Result<Vec<Made>> {
        let range = format!("{base}...{head}");
        self.log(&["--no-merges", "--cherry-pick", "--right-only", &range])
    }

    fn log(&self, what: &[&str]) -> anyhow::Result<Vec<Made>> {
        let fixed = [
            "-c",
            "log.showSignature=false",
            "log",
            "-z",
            "--encoding=UTF-8",
            "--format=%H%n%T%n%P%n%an%n%B",
        ];
        let listed = self.read(&[&fixed[..], what, &["--"]].concat())?;
        Ok(pieces(&listed).filter_map(made).collect())
    }

    /// The tree that a merge of `head` into `base` would have; `None` where it would conflict, the two have
    /// nothing in common, or git is too old to say (before 2.38).
    ///
    /// # Errors
    /// On Ctrl-C.
    pub(crate) fn merged_tree(&self, base: &str, head: &str) -> anyhow::Result<Option<String>> {
        let finished = self.run(&["merge-tree", "--write-tree", "--no-messages", base, head])?;
        let tree = finished.stdout.lines().next().map(str::to_owned);
        Ok(tree.filter(|_| finished.ok()))
    }

    /// Writes the files of a commit into a folder. Neither the index nor what is checked out is touched.
    ///
    /// # Errors
    /// When git fails, or the disk is full.
    pub(crate) fn lay_out(&self, commit: &str, folder: &Utf8Path) -> anyhow::Result<()> {
        fs_err::create_dir_all(folder)?;
        let index: Utf8PathBuf = folder.with_extension("index");
        let prefix = format!("--prefix={folder}/");
        let top = self.top()?;
        let steps: [&[&str]; 2] = [
            &["read-tree", commit],
            &["checkout-index", "--all", "--force", &prefix],
        ];
        for args in steps {
            let mut command = self.command(args);
            command.current_dir(&top).env("GIT_INDEX_FILE", &index);
            self.ui.explain(&crate::process::typed(&command));
            let output = command.output()?;
            if !output.status.success() {
                return Failure::new(Kind::Failed, format!("{commit} cannot be laid out on disk"))
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
