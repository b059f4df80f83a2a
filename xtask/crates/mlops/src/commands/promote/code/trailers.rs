//! The trailers of the commits that promotions and undos make on a release branch. Everything else about it is read from
//! git's history.

use crate::git::{Git, Made};
use crate::words::short;

/// On the commit with which a release branch starts; its value is the branch that feeds it.
const START: &str = "Xtask-Release-Start";
/// On a commit that brings a branch's files to the release branch as they are: the commit they are from.
const PROMOTES: &str = "Xtask-Promotes";
/// On a commit that takes the release branch back: the release that is undone.
const UNDOES: &str = "Xtask-Undoes";
/// On the same: the release whose files it brings back.
const BACK_TO: &str = "Xtask-Back-To";

/// The message of the commit with which a release branch starts.
pub(super) fn start_message(release: &str, main: &str) -> String {
    format!(
        "Start {release} without files\n\nThe first release comes by a pull request, like all that follow.\n\n{START}: {main}\n"
    )
}

/// The message of a commit that brings the files of `main` as they are.
pub(super) fn promote_message(main: &str, release: &str, sha: &str) -> String {
    format!(
        "Bring {release} the files of {main}\n\n\
         A plain merge would leave out what was undone on {release} before.\n\n{PROMOTES}: {sha}\n"
    )
}

/// The message of a commit that takes a release back.
pub(super) fn undo_message(release: &str, undone: &str, back_to: &str) -> String {
    format!(
        "Take {release} back to {}\n\nIts files are those of that commit.\n\n{UNDOES}: {undone}\n{BACK_TO}: {back_to}\n",
        short(back_to)
    )
}

/// Whether a commit is one that we made for a branch of proposals: such a branch may be replaced.
pub(super) fn is_proposal(commit: &Made) -> bool {
    commit.trailer(PROMOTES).is_some() || commit.trailer(UNDOES).is_some()
}

/// Whether a commit is one of ours at all; what a release branch holds besides is a person's.
pub(super) fn is_ours(commit: &Made) -> bool {
    is_proposal(commit) || is_start(commit)
}

/// Whether a release branch starts with this commit.
pub(super) fn is_start(commit: &Made) -> bool {
    commit.trailer(START).is_some()
}

/// An undo that a release was made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undo {
    pub(super) undone: String,
    pub(super) back_to: String,
}

/// The undo that a commit of the release branch brought: its own (squashed), or that of the branch that it
/// merged.
pub(super) fn undo_of(git: &Git, release: &Made) -> Option<Undo> {
    let of = |commit: &Made| {
        Some(Undo {
            undone: commit.trailer(UNDOES)?.to_owned(),
            back_to: commit.trailer(BACK_TO)?.to_owned(),
        })
    };
    let merged = release.parents.iter().skip(1);
    let merged = merged.filter_map(|parent| git.made(parent).ok());
    // A merge's own files must be those that the undo brought: else it was merged with more.
    of(release).or_else(|| {
        merged
            .filter(|commit| commit.tree == release.tree)
            .find_map(|commit| of(&commit))
    })
}
