//! The pull request of the branch that is checked out, and what of the clone is not in it.

use xtask_remote::github::merging::MergeFacts;
use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::Name;

use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::github::{Connection, Head, Home, is_own};
use crate::pull_request::readiness::Readiness;
use crate::ui::safe_line;
use crate::words::count;

/// How the clone differs from its pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Apart {
    /// So many commits of the branch are not in it.
    NotPushed(u64),
    /// It has commits that the branch lacks.
    Behind,
    /// Both.
    Diverged,
    /// So many files are not committed.
    NotCommitted(usize),
}

impl Apart {
    /// Keeps back a pull request that the clone is not the same as: merged as it is, the branch could be deleted with
    /// work in it.
    pub(super) fn hold_back(&self, facts: &MergeFacts, readiness: &mut Readiness) {
        let (what, next) = match self {
            Apart::NotCommitted(files) => {
                let files = count(*files, "file");
                let note = format!("{files} not committed, and not part of it");
                readiness.notes.push(note);
                return;
            }
            Apart::NotPushed(commits) => {
                let commits = count(usize::try_from(*commits).unwrap_or(usize::MAX), "commit");
                (
                    format!("{commits} of this branch: not pushed"),
                    "cargo xtask open-pr",
                )
            }
            Apart::Behind => (
                "this clone is behind it: it has newer commits".to_owned(),
                "git pull, review them, then run it again",
            ),
            Apart::Diverged => (
                "this branch and the pull request have diverged".to_owned(),
                "cargo xtask open-pr says how",
            ),
        };
        readiness.lacks_for_good(&what, next);
        readiness.suggest(format!(
            "or, to merge what GitHub shows: cargo xtask merge {}",
            facts.number
        ));
    }
}

pub(super) struct Looking<'a> {
    pub(super) context: &'a Context,
    pub(super) git: &'a Git,
    pub(super) home: &'a Home,
    pub(super) connection: &'a Connection,
    /// The repository that pull requests go to.
    pub(super) into: &'a Name,
    /// The branch that they go to.
    pub(super) usual_base: &'a str,
}

impl Looking<'_> {
    /// The open one, else the newest that holds the commit that is checked out.
    pub(super) fn own(&self) -> anyhow::Result<(Pull, Vec<Apart>)> {
        let (Some(branch), Some(commit)) = (self.git.branch(), self.git.head()) else {
            return Failure::usage("no branch is checked out: say which pull request")
                .next("cargo xtask merge NUMBER")
                .err();
        };
        let configured = self.context.config.github.base.as_deref();
        let base = configured.unwrap_or(self.usual_base);
        let head = Head::of(self.context, self.git, self.home, &branch, base);
        let (mut done, mut of_another): (Option<Pull>, Option<Pull>) = (None, None);
        for (index, place) in head.places.iter().enumerate() {
            let name = self.connection.name_now(&place.name);
            let there = head.name_at(&place.remote);
            for pull in pulls::of_branch(&self.connection.github, self.into, &name, there)? {
                match self.is_own(&pull, &commit, index == 0)? {
                    true if pull.is_open() => {
                        let apart = self.apart(&pull, &commit)?;
                        return Ok((pull, apart));
                    }
                    true => done = done.or(Some(pull)),
                    false => of_another = of_another.or(Some(pull)),
                }
            }
        }
        match done {
            Some(pull) => Ok((pull, Vec::new())),
            None => Err(self.none(&branch, &commit, of_another.as_ref())),
        }
    }

    fn is_own(&self, pull: &Pull, commit: &str, first: bool) -> anyhow::Result<bool> {
        let (sha, is_open) = (&pull.head.sha, pull.is_open());
        match is_own(self.git, commit, first, is_open, sha) {
            Some(told) => Ok(told),
            // This clone does not have the pull request's newest commit: GitHub knows what is in it.
            None => {
                let github = &self.connection.github;
                let commits = pulls::commits(github, self.into, pull.number)?;
                Ok(commits.iter().any(|sha| sha == commit))
            }
        }
    }

    fn apart(&self, pull: &Pull, commit: &str) -> anyhow::Result<Vec<Apart>> {
        let (git, sha) = (self.git, pull.head.sha.as_str());
        let mut apart = Vec::new();
        if sha != commit {
            let counts = match git.resolve(sha) {
                Some(_) => git.ahead_behind(sha, commit)?,
                None => None,
            };
            apart.push(match counts {
                Some((ahead, 0)) => Apart::NotPushed(ahead),
                Some((0, _)) => Apart::Behind,
                Some(_) => Apart::Diverged,
                // Another's newer commit, or one that was replaced here and there: it has this one, or not.
                None => match pulls::commits(&self.connection.github, self.into, pull.number)?
                    .iter()
                    .any(|sha| sha == commit)
                {
                    true => Apart::Behind,
                    false => Apart::Diverged,
                },
            });
        }
        match git.uncommitted()?.len() {
            0 => {}
            files => apart.push(Apart::NotCommitted(files)),
        }
        Ok(apart)
    }

    fn none(&self, branch: &str, commit: &str, of_another: Option<&Pull>) -> anyhow::Error {
        let what = format!(
            "the branch {} has no pull request in {}",
            safe_line(branch),
            self.into
        );
        let failure = Failure::usage(what);
        let failure = match of_another {
            Some(pull) => failure.details(format!(
                "pull request {} ({}) has a branch of the same name and not commit {}: {}",
                pull.number,
                if pull.is_merged() {
                    "merged"
                } else {
                    pull.state.as_str()
                },
                &commit[..commit.len().min(8)],
                safe_line(&pull.html_url)
            )),
            None => failure,
        };
        failure.next("cargo xtask open-pr").into()
    }
}
