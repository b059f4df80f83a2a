//! Pull requests: find, open, change, ask reviewers, label.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::GitHub;
use super::merging::Merged;
use super::repositories::{Name, User};
use crate::Error;
use crate::escape::segment;
use crate::transport::{Method, Request};

/// A pull request, as lists and the single resource show it.
#[derive(Debug, Clone, Deserialize)]
pub struct Pull {
    pub number: u64,
    /// Its id for GraphQL.
    pub node_id: String,
    /// Its page.
    pub html_url: String,
    /// `open` or `closed`; one that is merged is closed.
    pub state: String,
    /// Whether it is still a draft.
    #[serde(default)]
    pub draft: bool,
    pub title: String,
    /// Its description.
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub merged_at: Option<String>,
    /// The commit that merged it; before that GitHub's trial merge.
    #[serde(default)]
    pub merge_commit_sha: Option<String>,
    /// Who opened it.
    #[serde(default)]
    pub user: Option<User>,
    /// What is to be merged.
    pub head: Side,
    pub base: Side,
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Who is asked for a review and has not given one.
    #[serde(default)]
    pub requested_reviewers: Vec<User>,
}

impl Pull {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == "open"
    }

    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.merged_at.is_some()
    }
}

/// One side of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub struct Side {
    #[serde(rename = "ref")]
    pub branch: String,
    /// Its newest commit.
    pub sha: String,
    /// The repository; `None` when a fork is gone.
    #[serde(default)]
    pub repo: Option<SideRepository>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SideRepository {
    /// `owner/name`.
    pub full_name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Label {
    pub name: String,
}

/// A pull request to be opened.
#[derive(Debug, Clone, Serialize)]
pub struct New<'a> {
    pub title: &'a str,
    /// Its description.
    pub body: &'a str,
    /// `branch`, or `owner:branch` of a fork.
    pub head: &'a str,
    /// The repository of the head by its name, where the fork belongs to the base's own owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_repo: Option<&'a str>,
    /// The branch that it goes to.
    pub base: &'a str,
    /// Whether it is opened as a draft.
    pub draft: bool,
    /// Whether maintainers of the base may push to a fork's branch.
    pub maintainer_can_modify: bool,
}

/// What is changed of a pull request; the rest stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Change<'a> {
    /// A new title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// A new description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    /// Another branch that it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<&'a str>,
    /// `open` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'a str>,
}

/// The pull requests of a branch, in any state, newest first. The same branch name in another fork
/// is another branch.
pub fn of_branch(
    github: &GitHub,
    into: &Name,
    head: &Name,
    branch: &str,
) -> Result<Vec<Pull>, Error> {
    let request = Request::new(Method::Get, format!("{}/pulls", into.path()))
        .query("state", "all")
        .query("head", format!("{}:{branch}", head.owner))
        .query("sort", "created")
        .query("direction", "desc");
    let found: Vec<Pull> = github.pages(&request, None)?;
    // `head` names an owner: two forks of one owner are told apart here. A deleted fork has no
    // repository any more, and no open pull request is of interest there.
    Ok(found
        .into_iter()
        .filter(|pull| pull.head.branch == branch)
        .filter(|pull| {
            let repository = pull.head.repo.as_ref();
            repository
                .and_then(|repository| Name::parse(&repository.full_name))
                .is_some_and(|name| name.is(head))
        })
        .collect())
}

/// The open pull requests into a branch, oldest first.
pub fn open_into(github: &GitHub, name: &Name, base: &str) -> Result<Vec<Pull>, Error> {
    let request = Request::new(Method::Get, format!("{}/pulls", name.path()))
        .query("state", "open")
        .query("base", base)
        .query("sort", "created")
        .query("direction", "asc");
    let found: Vec<Pull> = github.pages(&request, None)?;
    Ok(found
        .into_iter()
        .filter(|pull| pull.is_open() && pull.base.branch == base)
        .collect())
}

/// The pull requests that brought a commit, or would bring it: GitHub tells of those that are merged, and
/// for a commit that is not on the default branch of the open ones.
///
/// # Errors
/// Any [`Error`]; one with status 422 for a commit that GitHub does not have.
pub fn of_commit(github: &GitHub, name: &Name, sha: &str) -> Result<Vec<Pull>, Error> {
    let path = format!("{}/commits/{}/pulls", name.path(), segment(sha));
    github.pages(&Request::new(Method::Get, path), None)
}

/// The commits of a pull request, by their hashes; GitHub tells of 250 at most.
pub fn commits(github: &GitHub, name: &Name, number: u64) -> Result<Vec<String>, Error> {
    let request = Request::new(Method::Get, format!("{}/commits", path(name, number)));
    let commits: Vec<Merged> = github.pages(&request, None)?;
    Ok(commits.into_iter().map(|commit| commit.sha).collect())
}

/// One pull request.
pub fn get(github: &GitHub, name: &Name, number: u64) -> Result<Pull, Error> {
    github.call(&Request::new(Method::Get, path(name, number)))
}

/// Opens a pull request. Sent once: after an error that [leaves it open](Error::leaves_open) look
/// with [`of_branch`].
pub fn open(github: &GitHub, into: &Name, new: &New<'_>) -> Result<Pull, Error> {
    let request = Request::new(Method::Post, format!("{}/pulls", into.path())).json(new);
    github.call(&request.once())
}

/// Whether a refusal says that there is one already.
#[must_use]
pub fn already_exists(error: &Error) -> bool {
    error.status() == Some(422)
        && error
            .reasons()
            .iter()
            .any(|reason| reason.message.contains("pull request already exists"))
}

/// Changes a pull request; sent again it changes nothing more.
pub fn change(
    github: &GitHub,
    name: &Name,
    number: u64,
    change: &Change<'_>,
) -> Result<Pull, Error> {
    let request = Request::new(Method::Patch, path(name, number))
        .json(change)
        .repeatable();
    github.call(&request)
}

/// Asks users, and teams by their slugs, for a review; asking twice is asking once.
///
/// # Errors
/// Any [`Error`]; a status of 422 when one of them cannot review here.
pub fn ask_reviewers(
    github: &GitHub,
    name: &Name,
    number: u64,
    users: &[String],
    teams: &[String],
) -> Result<Pull, Error> {
    let path = format!("{}/requested_reviewers", path(name, number));
    let request = Request::new(Method::Post, path)
        .json(&json!({ "reviewers": users, "team_reviewers": teams }))
        .repeatable();
    github.call(&request)
}

/// Adds labels. GitHub makes those that the repository does not have.
pub fn add_labels(
    github: &GitHub,
    name: &Name,
    number: u64,
    labels: &[String],
) -> Result<(), Error> {
    let path = format!("{}/issues/{number}/labels", name.path());
    let request = Request::new(Method::Post, path)
        .json(&json!({ "labels": labels }))
        .repeatable();
    github.send(&request).map(drop)
}

/// Says that a draft is ready for review.
pub fn mark_ready(github: &GitHub, node_id: &str) -> Result<(), Error> {
    const DOCUMENT: &str = "mutation Ready($id: ID!) {
        markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } }
    }";
    github
        .mutate::<serde_json::Value>(DOCUMENT, &json!({ "id": node_id }))
        .map(drop)
}

/// Makes an open pull request a draft again.
pub fn mark_draft(github: &GitHub, node_id: &str) -> Result<(), Error> {
    const DOCUMENT: &str = "mutation Draft($id: ID!) {
        convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } }
    }";
    github
        .mutate::<serde_json::Value>(DOCUMENT, &json!({ "id": node_id }))
        .map(drop)
}

pub(crate) fn path(name: &Name, number: u64) -> String {
    format!("{}/pulls/{number}", name.path())
}
