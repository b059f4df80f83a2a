//! What differs: in the files on disk, and between two commits.

use camino::Utf8PathBuf;

use super::{Git, pieces};

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is new.
    Added,
    /// It has other content, or another mode.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another name, and perhaps other content.
    Renamed,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// How.
    pub(crate) how: Changed,
    /// Its name, as of now; relative to the repository.
    pub(crate) path: String,
    /// The name it had, where it was renamed.
    pub(crate) before: Option<String>,
}

impl Git {
    /// What is not committed: changed files, and new ones that git does not ignore.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn uncommitted(&self) -> anyhow::Result<Vec<Change>> {
        let listed = self.read(&["status", "--porcelain=v1", "-z", "--untracked-files=all"])?;
        let mut pieces = pieces(&listed);
        let mut changes = Vec::new();
        while let Some(entry) = pieces.next() {
            let (Some(code), Some(path)) = (entry.get(..2), entry.get(3..)) else {
                continue;
            };
            let renamed = code.contains('R') || code.contains('C');
            changes.push(Change {
                how: match code {
                    "??" => Changed::Added,
                    _ if renamed => Changed::Renamed,
                    code if code.contains('D') => Changed::Deleted,
                    code if code.contains('A') => Changed::Added,
                    _ => Changed::Modified,
                },
                path: path.to_owned(),
                before: renamed.then(|| pieces.next().unwrap_or_default().to_owned()),
            });
        }
        Ok(changes)
    }

    /// The files that differ between the fork point of two commits and the second.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn changes(&self, base: &str, head: &str) -> anyhow::Result<Vec<Change>> {
        self.differences(&[&format!("{base}...{head}")])
    }

    /// The files that differ between two commits themselves.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn changed_between(&self, before: &str, after: &str) -> anyhow::Result<Vec<Change>> {
        self.differences(&[before, after])
    }

    fn differences(&self, between: &[&str]) -> anyhow::Result<Vec<Change>> {
        let fixed = ["diff", "--name-status", "-z", "--find-renames"];
        let listed = self.read(&[&fixed[..], between, &["--"]].concat())?;
        let mut pieces = pieces(&listed);
        let mut changes = Vec::new();
        while let (Some(code), Some(path)) = (pieces.next(), pieces.next()) {
            let renamed = code.starts_with(['R', 'C']);
            let (path, before) = match renamed {
                true => (pieces.next().unwrap_or_default(), Some(path.to_owned())),
                false => (path, None),
            };
            changes.push(Change {
                how: match code {
                    "A" => Changed::Added,
                    "D" => Changed::Deleted,
                    _ if renamed => Changed::Renamed,
                    _ => Changed::Modified,
                },
                path: path.to_owned(),
                before,
            });
        }
        Ok(changes)
    }

    /// The lines that were added to a file, with their numbers in it.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn added_lines(
        &self,
        base: &str,
        head: &str,
        path: &str,
    ) -> anyhow::Result<Vec<(usize, String)>> {
        let range = format!("{base}...{head}");
        // As named: a file called `*.py` is that file and no pattern.
        let diff = self.bytes(&[
            "--literal-pathspecs",
            "diff",
            "--unified=0",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-prefix",
            "--no-renames",
            &range,
            "--",
            &format!("{}{path}", self.to_the_top()?),
        ])?;
        Ok(added(&String::from_utf8_lossy(&diff)))
    }

    /// What a file holds at a commit; `None` where it is not there.
    pub(crate) fn content(&self, commit: &str, path: &str) -> Option<Vec<u8>> {
        self.bytes(&["cat-file", "blob", &format!("{commit}:{path}")])
            .ok()
    }

    /// The sizes of all files of a commit, in bytes.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn sizes(&self, commit: &str) -> anyhow::Result<Vec<(String, u64)>> {
        let listed = self.read(&["ls-tree", "-r", "-l", "-z", "--full-tree", commit])?;
        Ok(pieces(&listed)
            .filter_map(|entry| {
                let (facts, path) = entry.split_once('\t')?;
                let size = facts.split_whitespace().nth(3)?.parse().ok()?;
                Some((path.to_owned(), size))
            })
            .collect())
    }

    /// The files of a commit below a folder of the repository.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn files_below(&self, commit: &str, folder: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.read(&[
            "--literal-pathspecs",
            "ls-tree",
            "-r",
            "-z",
            "--name-only",
            "--full-tree",
            commit,
            "--",
            folder,
        ])?;
        Ok(pieces(&listed).map(str::to_owned).collect())
    }

    /// The files right in the folder of the repository, at a commit.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn files_at_the_top(&self, commit: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.read(&["ls-tree", "-z", "--name-only", "--full-tree", commit])?;
        Ok(pieces(&listed).map(str::to_owned).collect())
    }

    /// The folder of the repository.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn top(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(self.read(&["rev-parse", "--show-toplevel"])?.into())
    }

    /// The project's folder below the repository's: empty, or with a slash at its end.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn prefix(&self) -> anyhow::Result<String> {
        self.read(&["rev-parse", "--show-prefix"])
    }

    /// `../` as often as the project's folder lies below the repository's.
    fn to_the_top(&self) -> anyhow::Result<String> {
        self.read(&["rev-parse", "--show-cdup"])
    }
}

/// The added lines of a diff without context.
fn added(diff: &str) -> Vec<(usize, String)> {
    let (mut lines, mut number, mut in_hunk) = (Vec::new(), 0, false);
    for line in diff.lines() {
        if let Some(start) = hunk_start(line) {
            (number, in_hunk) = (start, true);
        } else if let Some(text) = line.strip_prefix('+').filter(|_| in_hunk) {
            lines.push((number, text.to_owned()));
            number += 1;
        }
    }
    lines
}

/// Where a hunk starts in the new file: the 7 of `@@ -5,2 +7,3 @@`.
fn hunk_start(line: &str) -> Option<usize> {
    let new = line.strip_prefix("@@ -")?.split_once(" +")?.1;
    new.split([',', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn added_lines_have_the_numbers_of_the_new_file() {
        let diff = "diff --git a b\n--- a\n+++ b\n@@ -1 +1,2 @@ def x\n-old\n+new\n+more\n@@ -9,0 +11 @@\n++++ b\n";
        assert_eq!(
            super::added(diff),
            [
                (1, "new".to_owned()),
                (2, "more".to_owned()),
                (11, "+++ b".to_owned())
            ]
        );
    }
}
