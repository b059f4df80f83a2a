//! Repositories: what one may do there, and its labels.

use serde::Deserialize;

use super::GitHub;
use super::pulls::Label;
use crate::Error;
use crate::escape::segment;
use crate::transport::{Method, Request};

/// `owner/name` of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The user or organisation.
    pub owner: String,
    /// The name below it.
    pub name: String,
}

impl Name {
    /// A name from `owner/name`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Name> {
        let (owner, name) = text.split_once('/')?;
        let plain = |part: &str| !part.is_empty() && !part.contains('/');
        (plain(owner) && plain(name)).then(|| Name {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether two names are the same repository: GitHub ignores case.
    #[must_use]
    pub fn is(&self, other: &Name) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }

    /// The path of its REST resource.
    pub(crate) fn path(&self) -> String {
        format!("/repos/{}/{}", segment(&self.owner), segment(&self.name))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Repository {
    /// `owner/name`, as it is called now: an old name leads here too.
    pub full_name: String,
    /// Its page.
    pub html_url: String,
    /// The branch that pull requests go to unless told otherwise.
    pub default_branch: String,
    /// Whether it is hidden from the world.
    #[serde(default)]
    pub private: bool,
    #[serde(default)]
    pub fork: bool,
    /// Whether it is closed to changes.
    #[serde(default)]
    pub archived: bool,
    /// What it was forked from.
    #[serde(default)]
    pub parent: Option<Parent>,
    /// The repository at the root of its forks: the parent's parent, where the parent is a fork too.
    #[serde(default)]
    pub source: Option<Parent>,
    /// What the token's owner may do; `None` without a token.
    #[serde(default)]
    pub permissions: Option<Permissions>,
    /// Whether pull requests may be merged with a merge commit; `None` to those who may not merge.
    #[serde(default)]
    pub allow_merge_commit: Option<bool>,
    /// Whether they may be squashed.
    #[serde(default)]
    pub allow_squash_merge: Option<bool>,
    /// Whether they may be rebased.
    #[serde(default)]
    pub allow_rebase_merge: Option<bool>,
}

impl Repository {
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        Name::parse(&self.full_name)
    }

    /// Whether a pull request can lead from one to the other: both are forks of one repository, or one of them
    /// is that repository.
    #[must_use]
    pub fn is_related_to(&self, other: &Repository) -> bool {
        self.root().eq_ignore_ascii_case(other.root())
    }

    fn root(&self) -> &str {
        let above = self.source.as_ref().or(self.parent.as_ref());
        above.map_or(&self.full_name, |above| &above.full_name)
    }

    /// Whether the token's owner may push.
    #[must_use]
    pub fn may_push(&self) -> bool {
        self.permissions
            .as_ref()
            .is_some_and(|permissions| permissions.push)
            && !self.archived
    }
}

/// What a repository was forked from.
#[derive(Debug, Clone, Deserialize)]
pub struct Parent {
    /// `owner/name`.
    pub full_name: String,
}

/// What one may do in a repository.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Permissions {
    /// Push branches.
    #[serde(default)]
    pub push: bool,
    /// Sort issues and pull requests: ask reviewers, set labels.
    #[serde(default)]
    pub triage: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// The name by which one signs in.
    pub login: String,
}

/// Who the token belongs to.
///
/// # Errors
/// Any [`Error`]; a status of 401 for a token that is not good.
pub fn viewer(github: &GitHub) -> Result<User, Error> {
    github.call(&Request::new(Method::Get, "/user"))
}

/// A repository.
///
/// # Errors
/// Any [`Error`]; a status of 404 also for one that the token may not see.
pub fn get(github: &GitHub, name: &Name) -> Result<Repository, Error> {
    github.call(&Request::new(Method::Get, name.path()))
}

/// The names of a repository's labels.
pub fn labels(github: &GitHub, name: &Name) -> Result<Vec<String>, Error> {
    let request = Request::new(Method::Get, format!("{}/labels", name.path()));
    let labels: Vec<Label> = github.pages(&request, None)?;
    Ok(labels.into_iter().map(|label| label.name).collect())
}
