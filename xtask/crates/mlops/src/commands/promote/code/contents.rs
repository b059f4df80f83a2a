//! What a promotion brings, or an undo takes away: pull requests, commits without one, notebooks.

use std::collections::BTreeSet;

use serde::Serialize;
use xtask_remote::Error;
use xtask_remote::github::pulls;

use crate::git::{Git, Made};
use crate::github::Upstream;
use crate::pull_request::notebooks;

/// How many commits GitHub is asked about.
const ASKED: usize = 200;
/// How many questions are under way at a time.
const AT_A_TIME: usize = 8;

/// What is in between two commits of main.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Contents {
    /// The pull requests, newest first.
    pub(super) pulls: Vec<Brought>,
    /// Commits that no pull request brought, newest first.
    pub(super) commits: Vec<Direct>,
    /// How many earlier commits were not looked up.
    pub(super) not_looked_up: usize,
    /// The notebooks that differ, one line of Markdown each.
    #[serde(skip)]
    pub(super) notebooks: String,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Brought {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) url: String,
}

/// A commit without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Direct {
    pub(super) sha: String,
    pub(super) subject: String,
    pub(super) author: String,
}

impl Contents {
    /// Reads what `newer` has beyond `older` (`None`: all of it) on the branch `main`.
    pub(super) fn between(
        git: &Git,
        upstream: &Upstream,
        main: &str,
        older: Option<&str>,
        newer: &str,
    ) -> anyhow::Result<Contents> {
        let without: Vec<&str> = older.into_iter().collect();
        // What a merge brought stands behind the merge: the branch's own commits are enough.
        let line = git.line(newer, &without)?;
        let asked = &line[..line.len().min(ASKED)];
        let mut contents = Contents {
            not_looked_up: line.len() - asked.len(),
            ..Contents::default()
        };
        let mut seen = BTreeSet::new();
        for (commit, found) in asked.iter().zip(pulls_of(upstream, main, asked)?) {
            match found {
                Some(pull) if seen.insert(pull.number) => contents.pulls.push(pull),
                Some(_) => {}
                None => contents.commits.push(Direct {
                    sha: commit.sha.clone(),
                    subject: commit.subject().to_owned(),
                    author: commit.author.clone(),
                }),
            }
        }
        Ok(contents)
    }

    /// Adds the notebooks that differ between two releases' files.
    pub(super) fn with_notebooks(
        mut self,
        git: &Git,
        before: &str,
        after: &str,
    ) -> anyhow::Result<Contents> {
        let changes = git.changed_between(before, after)?;
        self.notebooks = notebooks::section(git, &changes)?;
        Ok(self)
    }
}

/// The merged pull request of each commit, in their order; asked side by side.
fn pulls_of(
    upstream: &Upstream,
    main: &str,
    commits: &[Made],
) -> Result<Vec<Option<Brought>>, Error> {
    let ask = |commit: &Made| -> Result<Option<Brought>, Error> {
        let found = pulls::of_commit(&upstream.connection.github, &upstream.into, &commit.sha)?;
        let merged = found
            .into_iter()
            .find(|pull| pull.is_merged() && pull.base.branch == main);
        Ok(merged.map(|pull| Brought {
            number: pull.number,
            title: pull.title,
            author: pull.user.map(|user| user.login).unwrap_or_default(),
            url: pull.html_url,
        }))
    };
    let share = commits.len().div_ceil(AT_A_TIME).max(1);
    let ask = &ask;
    let answers: Vec<Result<Vec<_>, Error>> = std::thread::scope(|scope| {
        let parts: Vec<_> = commits
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(ask).collect()))
            .collect();
        let broken = || Error::Unexpected {
            call: "GET commits/SHA/pulls".to_owned(),
            reason: "it broke down".to_owned(),
        };
        let ended = parts.into_iter();
        ended
            .map(|part| part.join().unwrap_or_else(|_| Err(broken())))
            .collect()
    });
    let mut all = Vec::with_capacity(commits.len());
    for answer in answers {
        all.extend(answer?);
    }
    Ok(all)
}
