//! The releases: the commits of the release branch itself, newest first, and which of them stand.

use std::collections::BTreeSet;

use super::trailers;
use crate::git::{Git, Made};

/// The release branch's own history.
#[derive(Debug, Clone)]
pub(super) struct Releases {
    /// By first parents, newest first; without the commit that it started with.
    pub(super) all: Vec<Made>,
    /// Commits before those, which were releases if the branch was only ever moved on to newer commits of
    /// main; newest first, and not many.
    pub(super) perhaps: Vec<Made>,
    /// Those that an undo has taken back.
    undone: BTreeSet<String>,
}

impl Releases {
    /// Reads it. `main` is the branch that feeds it: where the release branch was made of it, what was there
    /// before is no release.
    pub(super) fn read(git: &Git, release: &str, main: &str) -> anyhow::Result<Releases> {
        /// How many earlier commits are worth a question whether they were deployed.
        const PERHAPS: usize = 20;
        let mut all = git.line(release, &[])?;
        let mut perhaps = Vec::new();
        if let Some(start) = all.iter().position(trailers::is_start) {
            all.truncate(start);
        } else {
            // Begun as a branch of main: of the commits that both have, the newest was released.
            let own = git.line(release, &[main])?.len();
            perhaps = all.split_off((own + 1).min(all.len()));
            perhaps.truncate(PERHAPS);
        }
        let undone = all
            .iter()
            .filter_map(|commit| trailers::undo_of(git, commit))
            .map(|undo| undo.undone)
            .collect();
        Ok(Releases {
            all,
            perhaps,
            undone,
        })
    }

    /// The release whose files the branch has now: an undo has those of an earlier one. `None` before the
    /// first.
    pub(super) fn standing(&self, git: &Git) -> Option<String> {
        let mut at = self.all.first()?;
        // Each undo leads to an earlier commit; a history that claims otherwise ends the search.
        for _ in 0..self.all.len() {
            let Some(undo) = trailers::undo_of(git, at) else {
                break;
            };
            match self.all.iter().find(|known| known.sha == undo.back_to) {
                Some(earlier) => at = earlier,
                None => return Some(undo.back_to),
            }
        }
        Some(at.sha.clone())
    }

    /// What may be gone back to, newest first: releases before the standing one with other files, that were
    /// not taken back themselves.
    pub(super) fn earlier(&self, git: &Git) -> Vec<&Made> {
        let Some(newest) = self.all.first() else {
            return Vec::new();
        };
        let standing = self.standing(git);
        let from = self
            .all
            .iter()
            .position(|commit| Some(&commit.sha) == standing.as_ref());
        let from = from.unwrap_or_default();
        self.all[from..]
            .iter()
            .filter(|commit| commit.tree != newest.tree)
            .filter(|commit| !self.undone.contains(&commit.sha))
            .filter(|commit| trailers::undo_of(git, commit).is_none())
            .collect()
    }
}
