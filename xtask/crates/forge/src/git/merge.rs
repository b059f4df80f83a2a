//! Merges without a working tree.

use super::{Git, GitError, finish, remember};
use crate::world::Id;

/// Author of a commit that the forge makes.
pub(crate) struct Author<'a> {
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
}

impl Git {
    /// `None` on conflicts.
    pub(crate) fn merge_tree(
        &self,
        repo: Id,
        base: &str,
        head: &str,
    ) -> Result<Option<String>, GitError> {
        let found = remember(&self.merges, format!("{base} {head}"), || {
            let mut command = self.command(Some(repo));
            command.args([
                "merge-tree",
                "--write-tree",
                "--no-messages",
                "--name-only",
                base,
                head,
            ]);
            let output = command.output()?;
            let first = String::from_utf8_lossy(&output.stdout);
            match output.status.code() {
                Some(0) => Ok(Some(first.lines().next().unwrap_or_default().to_owned())),
                Some(1) => Ok(None),
                _ => Err(GitError::Failed {
                    verb: "merge-tree".to_owned(),
                    said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                }),
            }
        })?;
        Ok(found.as_ref().clone())
    }

    /// Without a date, the current time.
    pub(crate) fn commit_tree(
        &self,
        repo: Id,
        tree: &str,
        parents: &[&str],
        message: &str,
        author: &Author<'_>,
        date: Option<&str>,
    ) -> Result<String, GitError> {
        let mut command = self.command(Some(repo));
        command.args(["commit-tree", tree]);
        for parent in parents {
            command.args(["-p", parent]);
        }
        command.args(["-m", message]);
        command.env("GIT_AUTHOR_NAME", author.name);
        command.env("GIT_AUTHOR_EMAIL", author.email);
        if let Some(date) = date {
            command.env("GIT_AUTHOR_DATE", date);
        }
        Ok(finish(&mut command, "commit-tree")?.trim().to_owned())
    }

    /// The commits of `head` that are not in `base`, rebased onto `base`; `None` on conflicts.
    pub(crate) fn rebase(
        &self,
        repo: Id,
        base: &str,
        head: &str,
    ) -> Result<Option<String>, GitError> {
        let mut top = base.to_owned();
        for sha in self.log(repo, base, head)? {
            let commit = self.commit(repo, &sha)?;
            // A merge commit has no changes of its own to carry over.
            let [parent] = commit.parents.as_slice() else {
                continue;
            };
            let author = Author {
                name: &commit.author.name,
                email: &commit.author.email,
            };
            let tree = self.commit(repo, &top)?.tree.clone();
            // The current tip with the original parent, so that this parent becomes the merge base.
            let ours = self.commit_tree(repo, &tree, &[parent], "ours", &author, None)?;
            let Some(tree) = self.merge_tree(repo, &ours, &sha)? else {
                return Ok(None);
            };
            let date = Some(commit.author.date.as_str());
            top = self.commit_tree(repo, &tree, &[&top], &commit.message, &author, date)?;
        }
        Ok(Some(top))
    }

    pub(crate) fn is_ancestor(&self, repo: Id, old: &str, new: &str) -> bool {
        self.run(Some(repo), &["merge-base", "--is-ancestor", old, new])
            .is_ok()
    }

    /// A commit on top of `parent` that changes one file.
    pub(crate) fn commit_file(
        &self,
        repo: Id,
        parent: Option<&str>,
        path: &str,
        content: &[u8],
        message: &str,
        author: &Author<'_>,
    ) -> Result<String, GitError> {
        use std::io::Write as _;
        let index = tempfile_name(&self.path(repo));
        let with_index = |args: &[&str]| {
            let mut command = self.command(Some(repo));
            command.env("GIT_INDEX_FILE", &index).args(args);
            finish(&mut command, args[0])
        };
        let mut command = self.command(Some(repo));
        command.args(["hash-object", "-w", "--stdin"]);
        command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(content)?;
        }
        let blob = String::from_utf8_lossy(&child.wait_with_output()?.stdout)
            .trim()
            .to_owned();
        let made = (|| {
            if let Some(parent) = parent {
                with_index(&["read-tree", parent])?;
            }
            let entry = format!("100644,{blob},{path}");
            with_index(&["update-index", "--add", "--cacheinfo", &entry])?;
            let tree = with_index(&["write-tree"])?;
            let parents: Vec<&str> = parent.into_iter().collect();
            self.commit_tree(repo, tree.trim(), &parents, message, author, None)
        })();
        // It may not exist.
        let _ = std::fs::remove_file(&index);
        made
    }
}

fn tempfile_name(repo: &camino::Utf8Path) -> camino::Utf8PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    repo.join(format!(
        "index-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    ))
}
