//! Changed files: in the work tree, and between two commits.

use camino::Utf8PathBuf;
use xshell::cmd;

use super::{Git, pieces};
use crate::child_env::sh;

/// The mode of a submodule.
pub(super) const GITLINK: &str = "160000";

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is new.
    Added,
    /// Modified content or mode.
    Modified,
    /// It is gone.
    Deleted,
    /// Renamed, possibly modified.
    Renamed,
    /// In conflict.
    Unmerged,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) how: Changed,
    /// Its current path, relative to the repository.
    pub(crate) path: String,
    /// Its old path, if renamed.
    pub(crate) before: Option<String>,
    /// The old blob, if known.
    pub(crate) old: Option<String>,
    /// The new blob, if known.
    pub(crate) new: Option<String>,
    /// Whether it is a submodule.
    pub(crate) is_repository: bool,
}

impl Git {
    /// Uncommitted changes: changed files, and untracked ones that are not ignored.
    pub(crate) fn uncommitted(&self) -> anyhow::Result<Vec<Change>> {
        let listed = self.read(cmd!(
            sh(),
            "git -c status.relativePaths=false status --porcelain=v1 -z --untracked-files=all
                --ignore-submodules=none --find-renames"
        ))?;
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
                    "DD" | "AU" | "UD" | "UA" | "DU" | "AA" | "UU" => Changed::Unmerged,
                    _ if renamed => Changed::Renamed,
                    code if code.contains('D') => Changed::Deleted,
                    code if code.contains('A') => Changed::Added,
                    _ => Changed::Modified,
                },
                path: path.to_owned(),
                before: renamed.then(|| pieces.next().unwrap_or_default().to_owned()),
                old: None,
                new: None,
                is_repository: false,
            });
        }
        Ok(changes)
    }

    /// The files that differ between the merge base of two commits and the second.
    pub(crate) fn changes(&self, base: &str, head: &str) -> anyhow::Result<Vec<Change>> {
        let start = self.fork_point(base, head);
        self.changed_between(start.as_deref().unwrap_or(base), head)
    }

    /// The files that differ between two commits or trees.
    pub(crate) fn changed_between(&self, before: &str, after: &str) -> anyhow::Result<Vec<Change>> {
        let listed = self.printed(
            self.plumbing(cmd!(
                sh(),
                "git diff-tree -r --raw -z --no-abbrev --no-relative --find-renames {before} {after} --"
            )),
            None,
        )?;
        let listed = String::from_utf8_lossy(&listed);
        let mut pieces = pieces(&listed);
        let mut changes = Vec::new();
        while let (Some(facts), Some(path)) = (pieces.next(), pieces.next()) {
            // `:100644 100644 OLD NEW R90`
            let facts: Vec<&str> = facts.split(' ').collect();
            let &[_, mode, old, new, code] = facts.as_slice() else {
                continue;
            };
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
                old: content_id(old),
                new: content_id(new),
                is_repository: mode == GITLINK,
            });
        }
        Ok(changes)
    }

    /// A file's content at a commit; `None` if it does not exist.
    pub(crate) fn content(&self, commit: &str, path: &str) -> Option<Vec<u8>> {
        let line = cmd!(sh(), "git cat-file blob {commit}:{path}");
        self.printed(self.plumbing(line), None).ok()
    }

    /// The files of a commit at or below some paths, filtered by name, with their content.
    pub(crate) fn contents(
        &self,
        commit: &str,
        paths: &[&str],
        wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let listed = self.read(cmd!(
            sh(),
            "git --literal-pathspecs ls-tree -r -z --full-tree {commit} -- {paths...}"
        ))?;
        let files: Vec<(&str, &str)> = pieces(&listed)
            .filter_map(|entry| {
                let (facts, path) = entry.split_once('\t')?;
                Some((path, facts.split(' ').nth(2)?))
            })
            .filter(|(path, _)| wanted(path))
            .collect();
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = files.iter().map(|(_, id)| *id).collect();
        self.bring_objects(&ids)?;
        let mut blobs = self.blobs()?;
        let mut contents = Vec::new();
        for (path, id) in files {
            if let Some(content) = blobs.read(id)? {
                contents.push((path.to_owned(), content));
            }
        }
        Ok(contents)
    }

    /// The files of a commit below a folder of the repository.
    pub(crate) fn files_below(&self, commit: &str, folder: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.read(cmd!(
            sh(),
            "git --literal-pathspecs ls-tree -r -z --name-only --full-tree {commit} -- {folder}"
        ))?;
        Ok(pieces(&listed).map(str::to_owned).collect())
    }

    /// The blobs of a commit.
    pub(crate) fn objects_of_files(&self, commit: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.read(cmd!(sh(), "git ls-tree -r -z --full-tree {commit}"))?;
        let object = |entry: &str| entry.split(['\t', ' ']).nth(2).map(str::to_owned);
        Ok(pieces(&listed).filter_map(object).collect())
    }

    /// The files in the repository's root folder, at a commit.
    pub(crate) fn files_at_the_top(&self, commit: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.read(cmd!(
            sh(),
            "git ls-tree -z --name-only --full-tree {commit}"
        ))?;
        Ok(pieces(&listed).map(str::to_owned).collect())
    }

    /// The repository's root folder.
    pub(crate) fn top(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(self
            .read(cmd!(sh(), "git rev-parse --show-toplevel"))?
            .into())
    }

    /// The project's path in the repository: empty, or with a trailing slash.
    pub(crate) fn prefix(&self) -> anyhow::Result<String> {
        self.read(cmd!(sh(), "git rev-parse --show-prefix"))
    }
}

/// An object id, unless it is all zeros.
fn content_id(id: &str) -> Option<String> {
    (!id.bytes().all(|digit| digit == b'0')).then(|| id.to_owned())
}
