//! How a branch stands: its pull request, the reviews, the checks of its newest commit. One GraphQL
//! request where there are at most 100 checks, and one more for each further 100.

mod reply;

use serde_json::json;

use super::GitHub;
use super::checks::{Check, label};
use super::repositories::Name;
use crate::Error;

/// The document that is sent.
pub const DOCUMENT: &str = include_str!("branch_status.graphql");
/// How many pages of checks are read at most.
const MOST_PAGES: usize = 30;

/// Which branch is asked about.
#[derive(Debug, Clone)]
pub struct Question {
    /// The repository that pull requests go to.
    pub base: Name,
    /// The repositories that the branch may be in, as the clone names them: the one that it is pushed to first.
    pub heads: Vec<Name>,
    pub branch: String,
    /// The branch that it is compared with where it has no pull request.
    pub into: String,
    /// The number of its pull request, where it is known from an earlier time.
    pub pull: Option<u64>,
}

/// A pull request from a branch of the name that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Whether it comes from the first of the repositories.
    pub first: bool,
    pub open: bool,
    /// Its newest commit.
    pub sha: &'a str,
}

/// Says which of the candidates are the branch's own.
pub type IsOwn<'a> = dyn Fn(Candidate<'_>) -> bool + 'a;

/// What GitHub answered.
#[derive(Debug, Clone, Default)]
pub struct BranchStatus {
    /// `owner/name`, as it is called now.
    pub repository: String,
    /// The repository's page.
    pub url: String,
    /// What it is a fork of.
    pub parent: Option<Name>,
    /// The branch that pull requests go to unless told otherwise.
    pub default_branch: Option<String>,
    /// The newest commit of the branch on GitHub; `None` where GitHub has no such branch.
    pub pushed: Option<String>,
    /// How many commits the branch is behind the other one.
    pub behind: Option<u64>,
    /// The pull request of the branch: the open one, else the newest.
    pub pull: Option<Pull>,
    /// The commit that the checks are of.
    pub sha: Option<String>,
    /// The checks of that commit.
    pub checks: Vec<Check>,
    /// What must pass before a merge, by name.
    pub required: Vec<String>,
    /// How many requests are left, where GitHub tells.
    pub rate: Option<Rate>,
    /// What GitHub would not tell, in its words.
    pub withheld: Vec<String>,
}

/// A pull request.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    pub number: u64,
    /// Its page.
    pub url: String,
    pub title: String,
    /// `OPEN`, `MERGED`, `CLOSED`.
    pub state: String,
    pub draft: bool,
    /// Whether it comes from a fork.
    pub from_fork: bool,
    /// Who opened it.
    pub author: Option<String>,
    /// Its newest commit.
    pub sha: String,
    /// The branch that it goes to.
    pub base: String,
    /// `MERGEABLE`, `CONFLICTING`, or `UNKNOWN` while GitHub works it out.
    pub mergeable: String,
    /// GitHub's word for what keeps it from being merged: `CLEAN`, `BLOCKED`, `BEHIND`, ….
    pub merge_state: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `REVIEW_REQUIRED`; `None` where no review is asked for.
    pub review_decision: Option<String>,
    /// The last word of each reviewer: name and state.
    pub reviews: Vec<(String, String)>,
    /// Who has been asked and has not answered.
    pub requested: Vec<String>,
    /// Conversations that are not resolved.
    pub unresolved_threads: u64,
    /// Whether there are more conversations than were looked at.
    pub more_threads: bool,
    /// The method by which it will merge itself.
    pub auto_merge: Option<String>,
    /// Its place in the merge queue.
    pub queue_position: Option<u64>,
    /// How many approvals it needs.
    pub approvals_needed: Option<u64>,
}

/// How many points are left for this hour.
#[derive(Debug, Clone)]
pub struct Rate {
    /// What the last request cost.
    pub cost: u64,
    /// How many are left.
    pub remaining: u64,
    /// When they are given anew, RFC 3339.
    pub reset_at: String,
}

/// Asks how a branch stands.
///
/// # Errors
/// Any [`Error`]; one with status 404 for a repository that is not there or not shown.
pub fn ask(
    github: &GitHub,
    question: &Question,
    is_own: &IsOwn<'_>,
) -> Result<BranchStatus, Error> {
    let (mut status, mut next) = page(github, question, is_own, None)?;
    for _ in 0..MOST_PAGES {
        let Some(cursor) = next else { break };
        let (more, following) = page(github, question, is_own, Some(&cursor))?;
        // A push in between: what belongs to another commit is left out, the next look sees it.
        if more.sha != status.sha {
            break;
        }
        status.checks.extend(more.checks);
        next = following.filter(|following| *following != cursor);
    }
    status.checks = newest_of_each(status.checks);
    label(&mut status.checks);
    for check in &mut status.checks {
        let by_name = status.required.contains(&check.name);
        check.required = match check.required {
            Some(known) => Some(known || by_name),
            None if by_name => Some(true),
            None => status.pull.as_ref().map(|_| false),
        };
    }
    Ok(status)
}

fn page(
    github: &GitHub,
    question: &Question,
    is_own: &IsOwn<'_>,
    cursor: Option<&str>,
) -> Result<(BranchStatus, Option<String>), Error> {
    let first = question.heads.first().unwrap_or(&question.base);
    let variables = json!({
        "owner": question.base.owner,
        "name": question.base.name,
        "branch": question.branch,
        "ref": format!("refs/heads/{}", question.branch),
        "base": question.into,
        "cursor": cursor,
        "pull": question.pull.unwrap_or(0),
        "havePull": question.pull.is_some(),
        "headOwner": first.owner,
        "headName": first.name,
        "elsewhere": !first.is(&question.base),
    });
    let answer = github.query(DOCUMENT, &variables)?;
    // A fork that is gone is told by its absence.
    let complaints = answer
        .complaints
        .into_iter()
        .filter(|complaint| complaint.path.first().is_none_or(|at| at != "head"))
        .map(|complaint| complaint.message)
        .collect();
    reply::status(answer.data, complaints, question, is_own)
}

/// A check that was run again stands once, as it stands now.
fn newest_of_each(checks: Vec<Check>) -> Vec<Check> {
    let mut newest: Vec<Check> = Vec::with_capacity(checks.len());
    let same =
        |a: &Check, b: &Check| (&a.name, &a.workflow, &a.event) == (&b.name, &b.workflow, &b.event);
    for check in checks {
        match newest.iter_mut().find(|known| same(known, &check)) {
            // Times of one form are ordered as texts are.
            Some(known) if known.started_at <= check.started_at => *known = check,
            Some(_) => {}
            None => newest.push(check),
        }
    }
    newest
}

#[cfg(test)]
mod tests;
