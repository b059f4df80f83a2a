//! What git is in the midst of.

use super::Git;

/// What is under way, what tells it, and how to end it; what may hold another comes first. git keeps the one
/// kind as refs, the other as files of which it says where they are.
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

/// What tells it.
enum Mark {
    /// A ref that git sets.
    Ref(&'static str),
    /// A file or folder of git's.
    File(&'static str),
    /// The first command of a sequence that is left.
    Sequence(&'static str),
}

impl Git {
    /// What git is in the midst of, and how to end that.
    ///
    /// # Errors
    /// When git fails.
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
