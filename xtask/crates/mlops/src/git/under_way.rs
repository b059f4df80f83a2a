//! git operations in progress.

use super::Git;

/// The marker of each git command that may be in progress. Those that may contain another come first.
/// Markers are refs or files of git.
const STATES: &[(Mark, &str)] = &[
    (Mark::File("rebase-apply/applying"), "am"),
    (Mark::File("rebase-merge"), "rebase"),
    (Mark::File("rebase-apply"), "rebase"),
    (Mark::Ref("MERGE_HEAD"), "merge"),
    (Mark::Ref("CHERRY_PICK_HEAD"), "cherry-pick"),
    (Mark::Ref("REVERT_HEAD"), "revert"),
    (Mark::Sequence("pick"), "cherry-pick"),
    (Mark::Sequence("revert"), "revert"),
    (Mark::File("BISECT_START"), "bisect"),
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
    pub(crate) fn under_way(&self) -> anyhow::Result<Option<(String, String)>> {
        for (mark, command) in STATES {
            let is_set = match mark {
                Mark::Ref(name) => self.resolve(name).is_some(),
                Mark::File(name) => self.git_path(name)?.exists(),
                Mark::Sequence(first) => {
                    let left = fs_err::read_to_string(self.git_path("sequencer/todo")?);
                    left.is_ok_and(|left| left.trim_start().starts_with(first))
                }
            };
            if !is_set {
                continue;
            }
            let what = match *command {
                "am" => "git am".to_owned(),
                command => format!("a {command}"),
            };
            let next = match *command {
                "bisect" => "git bisect reset".to_owned(),
                command => format!("git {command} --continue, or --abort"),
            };
            return Ok(Some((what, next)));
        }
        Ok(None)
    }
}
