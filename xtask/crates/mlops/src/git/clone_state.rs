//! The state of the clone: its branch and uncommitted changes.

use xshell::cmd;

use super::Git;
use crate::child_env::sh;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CloneState {
    /// The checked-out commit; `None` before the first one.
    pub(crate) head: Option<String>,
    /// The branch; `None` on a detached HEAD.
    pub(crate) branch: Option<String>,
    /// Its upstream, such as `origin/main`.
    pub(crate) upstream: Option<String>,
    /// Changed and untracked files.
    pub(crate) changed_files: u64,
}

impl Git {
    /// Reads the state with one git call.
    pub(crate) fn state(&self) -> anyhow::Result<CloneState> {
        let line = cmd!(
            sh(),
            "git status --porcelain=v2 --branch --no-ahead-behind -z"
        );
        Ok(parse(&self.read(line)?))
    }

    /// The default branch of a remote, as last fetched.
    pub(crate) fn known_default_branch(&self, remote: &str) -> Option<String> {
        let line = cmd!(sh(), "git symbolic-ref --quiet refs/remotes/{remote}/HEAD");
        let name = self.read(line).ok()?;
        name.strip_prefix(&format!("refs/remotes/{remote}/"))
            .map(str::to_owned)
    }
}

/// Parses `git status --porcelain=v2 --branch --no-ahead-behind -z`.
fn parse(told: &str) -> CloneState {
    let mut state = CloneState::default();
    let mut entries = told.split('\0').filter(|entry| !entry.is_empty());
    while let Some(entry) = entries.next() {
        let Some(header) = entry.strip_prefix("# ") else {
            state.changed_files += 1;
            // The old path of a rename is a separate entry.
            if entry.starts_with("2 ") {
                entries.next();
            }
            continue;
        };
        let (name, value) = header.split_once(' ').unwrap_or((header, ""));
        match name {
            "branch.oid" if value != "(initial)" => state.head = Some(value.to_owned()),
            "branch.head" if value != "(detached)" => state.branch = Some(value.to_owned()),
            "branch.upstream" => state.upstream = Some(value.to_owned()),
            _ => {}
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_tells_is_read() {
        let told = "# branch.oid 9b0f\0# branch.head cents\0# branch.upstream origin/cents\0# branch.ab +? -?\0\
            1 .M N... 100644 100644 100644 a a a b.py\x002 R. N... 1 1 1 a a R100 new\nname.py\0old.py\0? u.py\0";
        let state = parse(told);
        assert_eq!(state.branch.as_deref(), Some("cents"));
        assert_eq!(state.upstream.as_deref(), Some("origin/cents"));
        assert_eq!(state.changed_files, 3);
    }

    #[test]
    fn neither_a_commit_nor_a_branch_must_be_there() {
        let state = parse("# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!(state, CloneState::default());
    }
}
