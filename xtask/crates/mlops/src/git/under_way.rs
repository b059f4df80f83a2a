//! git operations in progress.

use super::Git;

/// Operations in progress, their marker, and how to end them. Those that may contain another come first.
/// Markers are refs or files of git.
const STATES: &[(Mark, &str, &str)] = &[
    (
        Mark::File("rebase-apply/applying"),
        "git am",
        "git am --continue, or --abort",
    ),
    (
        Mark::File("rebase-merge"),
        "a rebase",
        "git rebase --continue, or --abort",
    ),
    (
        Mark::File("rebase-apply"),
        "a rebase",
        "git rebase --continue, or --abort",
    ),
    (
        Mark::Ref("MERGE_HEAD"),
        "a merge",
        "git merge --continue, or --abort",
    ),
    (
        Mark::Ref("CHERRY_PICK_HEAD"),
        "a cherry-pick",
        "git cherry-pick --continue, or --abort",
    ),
    (
        Mark::Ref("REVERT_HEAD"),
        "a revert",
        "git revert --continue, or --abort",
    ),
    (
        Mark::Sequence("pick"),
        "a cherry-pick",
        "git cherry-pick --continue, or --abort",
    ),
    (
        Mark::Sequence("revert"),
        "a revert",
        "git revert --continue, or --abort",
    ),
    (Mark::File("BISECT_START"), "a bisect", "git bisect reset"),
];

/// A marker.
enum Mark {
    /// A ref that git sets.
    Ref(&'static str),
    /// A file or folder of git's.
    File(&'static str),
    /// The next command of the sequencer.
    Sequence(&'static str),
}

impl Git {
    /// The operation in progress, and how to end it.
    pub(crate) fn under_way(&self) -> anyhow::Result<Option<(&'static str, &'static str)>> {
        for (mark, what, next) in STATES {
            let is_set = match mark {
                Mark::Ref(name) => self.resolve(name).is_some(),
                Mark::File(name) => self.git_path(name)?.exists(),
                Mark::Sequence(command) => {
                    let left = fs_err::read_to_string(self.git_path("sequencer/todo")?);
                    left.is_ok_and(|left| left.trim_start().starts_with(command))
                }
            };
            if is_set {
                return Ok(Some((what, next)));
            }
        }
        Ok(None)
    }
}
