//! What is there: both branches on the remote, how they relate, the releases so far. Reads only; of what
//! is fetched, git keeps the objects.

use std::collections::BTreeSet;

use super::releases::Releases;
use super::route::Route;
use super::trailers;
use crate::error::Failure;
use crate::git::{Git, Made};
use crate::github::Upstream;
use crate::ui::safe_line;
use crate::words::short;

/// How many commits are named where some stand in the way.
const NAMED: usize = 5;

/// Both branches.
pub(super) struct Survey {
    pub(super) upstream: Upstream,
    pub(super) route: Route,
    /// The newest commit of the branch that the code comes from.
    pub(super) main: Made,
    /// The branch that it goes to; `None` before the first release.
    pub(super) release: Option<Release>,
}

/// The release branch.
pub(super) struct Release {
    /// Its newest commit.
    pub(super) head: Made,
    pub(super) releases: Releases,
    /// The release whose files it has; `None` before the first.
    pub(super) standing: Option<String>,
}

impl Survey {
    /// Looks.
    pub(super) fn take(git: &Git, upstream: Upstream, route: Route) -> anyhow::Result<Survey> {
        let Some(main) = upstream.fetch(git, &route.main)? else {
            return Failure::failed(format!(
                "{} has no branch {}, which feeds target {}",
                upstream.into,
                safe_line(&route.main),
                route.from
            ))
            .next(format!("git push {} HEAD:{}", upstream.remote, route.main))
            .err();
        };
        let main = git.made(&main)?;
        let release = match upstream.fetch(git, &route.release)? {
            None => None,
            Some(release) => {
                if git.is_cut_off(&main.sha, &release)? {
                    return Failure::failed(format!(
                        "this clone is shallow: it does not tell what {} and {} have in common",
                        safe_line(&route.main),
                        safe_line(&route.release)
                    ))
                    .next(format!("git fetch --unshallow {}", upstream.remote))
                    .err();
                }
                let releases = Releases::read(git, &release, &main.sha)?;
                Some(Release {
                    head: git.made(&release)?,
                    standing: releases.standing(git),
                    releases,
                })
            }
        };
        Ok(Survey {
            upstream,
            route,
            main,
            release,
        })
    }

    /// The newest commit of main that production has, by the release that stands; `None` before the first.
    pub(super) fn released(&self, git: &Git) -> Option<String> {
        self.of_main(git, self.release.as_ref()?.standing.as_deref()?)
    }

    /// The newest commit of main that a release has.
    pub(super) fn of_main(&self, git: &Git, release: &str) -> Option<String> {
        git.fork_point(&self.main.sha, release)
    }

    /// Commits on the release branch that main lacks, even as the same change: a promotion would take them
    /// away.
    pub(super) fn refuse_own_commits(&self, git: &Git) -> anyhow::Result<()> {
        let Some(release) = &self.release else {
            return Ok(());
        };
        let mut own = git.only_in(&release.head.sha, &self.main.sha)?;
        own.retain(|commit| !trailers::is_ours(commit));
        if own.is_empty() || release.head.tree == self.main.tree {
            return Ok(());
        }
        // A promotion that was squashed has the files that main had then: nothing of it is lost.
        let known: BTreeSet<String> = git
            .reached(&self.main.sha, &[])?
            .into_iter()
            .map(|commit| commit.tree)
            .collect();
        own.retain(|commit| !known.contains(&commit.tree));
        if own.is_empty() {
            return Ok(());
        }
        let Route {
            main,
            release: branch,
            ..
        } = &self.route;
        let mut lines: Vec<String> = own
            .iter()
            .take(NAMED)
            .map(|commit| format!("{} {}", short(&commit.sha), safe_line(commit.subject())))
            .collect();
        if own.len() > NAMED {
            lines.push(format!("and {} more", own.len() - NAMED));
        }
        let commits = match own.len() {
            1 => "a commit".to_owned(),
            several => format!("{several} commits"),
        };
        Failure::failed(format!("{branch} has {commits} that {main} lacks: a promotion would take them away"),
        )
        .details(lines.join("\n"))
        .next(format!(
            "bring them into {main} first: git fetch {remote} && git switch -c from-{branch} {remote}/{main} && \
             git merge {remote}/{branch}, then cargo xtask open-pr",
            remote = self.upstream.remote
        ))
        .err()
    }
}
