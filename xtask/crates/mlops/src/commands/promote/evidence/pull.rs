//! The pull request that brought the code of a version.

use std::time::Duration;

use serde::Serialize;
use xtask_remote::github::checks::State;
use xtask_remote::github::{merging, pulls};

use crate::context::Context;
use crate::git::Git;
use crate::github::Home;

/// How long each call to GitHub may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A pull request, with who agreed to it and what was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::commands::promote) struct PullRequest {
    pub(in crate::commands::promote) number: u64,
    pub(in crate::commands::promote) title: String,
    /// Its page.
    pub(in crate::commands::promote) url: String,
    /// Who wrote it.
    pub(in crate::commands::promote) author: String,
    /// Who approved it.
    pub(in crate::commands::promote) approvers: Vec<String>,
    /// How many of its checks passed.
    pub(in crate::commands::promote) passed: usize,
    /// Those that did not, by their names.
    pub(in crate::commands::promote) not_passed: Vec<String>,
}

impl PullRequest {
    /// One line for people.
    pub(super) fn sentence(&self) -> String {
        let approved = match self.approvers.is_empty() {
            true => "not approved".to_owned(),
            false => format!("approved by {}", self.approvers.join(", ")),
        };
        let checks = match self.not_passed.is_empty() {
            true => format!("{} checks passed", self.passed),
            false => format!(
                "{} checks passed, not {}",
                self.passed,
                self.not_passed.join(", ")
            ),
        };
        let PullRequest {
            number,
            author,
            url,
            title,
            ..
        } = self;
        format!("{number} \"{title}\" by {author}, {approved}, {checks}  {url}")
    }
}

/// Looks for it on GitHub; `None` where the commit came without one.
/// Evidence that is missing stops no promotion.
pub(super) fn of(
    context: &Context,
    git: Option<&Git>,
    commit: Option<&str>,
) -> anyhow::Result<Option<PullRequest>> {
    let git = git.ok_or_else(|| anyhow::anyhow!("this is no git repository"))?;
    let commit = commit.ok_or_else(|| anyhow::anyhow!("the commit is not known"))?;
    let home = Home::find(context, git, None)?;
    // It adds to the evidence and decides nothing: who is offline should not wait for it.
    let github = &home.connect(context, git)?.github.hurried(DEADLINE);
    let found = pulls::of_commit(github, &home.name, commit)?;
    // The one that brought it: an open one may have it as well.
    let merged = found.iter().find(|pull| pull.is_merged());
    let Some(pull) = merged.or(found.first()) else {
        return Ok(None);
    };
    let facts = merging::facts(github, &home.name, pull.number, &pull.base.branch)?;
    let approved = facts
        .reviews
        .iter()
        .filter(|review| review.state == "APPROVED");
    let (passed, not_passed): (Vec<_>, Vec<_>) = facts
        .checks
        .iter()
        .partition(|check| matches!(check.state, State::Passed | State::Skipped));
    Ok(Some(PullRequest {
        number: pull.number,
        title: pull.title.clone(),
        url: pull.html_url.clone(),
        author: facts.author.clone(),
        approvers: approved.map(|review| review.author.clone()).collect(),
        passed: passed.len(),
        not_passed: not_passed.iter().map(|check| check.label.clone()).collect(),
    }))
}
