//! What each commit of a range adds: a push publishes every commit, not only the last state.

use xshell::cmd;

use super::changes::GITLINK;
use super::{Git, pieces};
use crate::child_env::sh;

/// A file that a commit adds or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addition {
    pub(crate) commit: String,
    /// The file, relative to the repository.
    pub(crate) path: String,
    /// The blob; `None` where the commit deletes the file, or puts a submodule in its place.
    pub(crate) new: Option<String>,
    /// The blobs in the commit's parents.
    pub(crate) old: Vec<String>,
}

impl Git {
    /// What the commits in `head` but not in `without` add, oldest first. Of a merge, only what none of its
    /// parents has.
    pub(crate) fn additions(&self, without: &[&str], head: &str) -> anyhow::Result<Vec<Addition>> {
        let without = without.iter().map(|commit| format!("\n^{commit}"));
        let range = head.to_owned() + &without.collect::<String>();
        let walk = cmd!(sh(), "git rev-list --reverse --topo-order --stdin");
        let raw = cmd!(
            sh(),
            "git diff-tree --stdin -r -c --root --raw -z --no-abbrev --no-renames --no-relative"
        );
        Ok(parsed(&self.fed(raw, self.fed(walk, range)?)?))
    }

    /// What a tree adds to a commit, as if it were committed on top.
    pub(crate) fn additions_of_tree(
        &self,
        commit: &str,
        tree: &str,
    ) -> anyhow::Result<Vec<Addition>> {
        let changes = self.changed_between(commit, tree)?;
        Ok(changes
            .into_iter()
            .map(|change| Addition {
                commit: String::new(),
                path: change.path,
                new: change.new.filter(|_| !change.is_repository),
                old: change.old.into_iter().collect(),
            })
            .collect())
    }
}

/// Parses lines such as `:100644 100644 OLD NEW M` (of a merge `::MODE MODE MODE OLD OLD NEW MM`), each
/// followed by its path, after the id of their commit.
fn parsed(listed: &str) -> Vec<Addition> {
    let mut additions = Vec::new();
    let mut commit = "";
    let mut pieces = pieces(listed);
    while let Some(piece) = pieces.next() {
        let parents = piece.bytes().take_while(|byte| *byte == b':').count();
        if parents == 0 {
            commit = piece;
            continue;
        }
        let path = pieces.next().unwrap_or_default();
        let facts: Vec<&str> = piece[parents..].split(' ').collect();
        // A mode and an object per parent, the same for the commit, and the status.
        if facts.len() != 2 * (parents + 1) + 1 {
            continue;
        }
        let (modes, rest) = facts.split_at(parents + 1);
        let is_file = |mode: &str| mode != GITLINK && mode.bytes().any(|digit| digit != b'0');
        let objects = modes
            .iter()
            .zip(rest)
            .map(|(mode, id)| is_file(mode).then(|| (*id).to_owned()));
        let mut objects: Vec<Option<String>> = objects.collect();
        additions.push(Addition {
            commit: commit.to_owned(),
            path: path.to_owned(),
            new: objects.pop().flatten(),
            old: objects.into_iter().flatten().collect(),
        });
    }
    additions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_removals_and_other_repositories_are_read() {
        let (a, b, none) = ["a", "b", "0"].map(|digit| digit.repeat(40)).into();
        let listed = format!(
            "c1\0:100644 100644 {a} {b} M\0x\ny\0:100644 000000 {a} {none} D\0gone\0:000000 160000 {none} {b} A\0sub\0\
             c2\0::100644 000000 100644 {a} {none} {b} MA\0:odd\0"
        );
        let found: Vec<_> = parsed(&listed)
            .into_iter()
            .map(|found| (found.commit, found.path, found.new, found.old))
            .collect();
        let of = |commit: &str, path: &str, new: Option<&String>, old: &[&String]| {
            let old: Vec<String> = old.iter().map(|id| (*id).clone()).collect();
            (commit.to_owned(), path.to_owned(), new.cloned(), old)
        };
        assert_eq!(
            found,
            [
                of("c1", "x\ny", Some(&b), &[&a]),
                of("c1", "gone", None, &[&a]),
                of("c1", "sub", None, &[]),
                of("c2", ":odd", Some(&b), &[&a]),
            ]
        );
    }
}
