//! Where the branch is pushed to: the repository itself, or a fork of it. Remotes are used as they are;
//! none is added.

use xtask_remote::github::repositories::{self, Name, Repository};

use super::findings::Findings;
use crate::context::Context;
use crate::github::{Connection, GitHubRemote, Home};
use crate::ui::safe;

/// Where the branch goes.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) remote: String,
    /// The repository that it leads to.
    pub(super) name: Name,
    /// Whether that is another one than the pull request goes to.
    pub(super) is_fork: bool,
}

/// Chooses the remote; `None` with a finding where there is none to push to.
pub(super) fn choose(
    context: &Context,
    connection: &Connection,
    home: &Home,
    places: &[GitHubRemote],
    into: &Repository,
    asked: Option<&str>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Source>> {
    let into_name = into.name().unwrap_or_else(|| home.name.clone());
    for place in tried(places, asked) {
        // Names in the clone's configuration may be old: what the server says is compared.
        let repository = match connection.repository(&place.name) {
            Err(error) if error.is_not_found() => None,
            other => Some(other?),
        };
        let name = repository.as_ref().and_then(Repository::name);
        let is_fork = name.as_ref().is_none_or(|name| !name.is(&into_name));
        let fits = |one: &Repository| one.may_push() && (!is_fork || one.is_related_to(into));
        if let (Some(name), true) = (name, repository.as_ref().is_some_and(fits)) {
            return Ok(Some(Source {
                remote: place.remote.clone(),
                name,
                is_fork,
            }));
        }
        if asked.is_some() {
            let what = format!(
                "the remote {} leads to {}, where you may not push, or which is no fork of {into_name}",
                place.remote, place.name
            );
            findings.stop(what, "choose another one of `git remote --verbose`");
            return Ok(None);
        }
    }
    if let Some(asked) = asked {
        findings.stop(
            format!(
                "there is no remote {asked} that leads to {}",
                home.address.host()
            ),
            "git remote --verbose",
        );
        return Ok(None);
    }
    nowhere(context, connection, home, into, &into_name, findings);
    Ok(None)
}

/// The remotes that are tried, in order; the one that was asked for alone.
fn tried<'h>(places: &'h [GitHubRemote], asked: Option<&str>) -> Vec<&'h GitHubRemote> {
    places
        .iter()
        .filter(|place| asked.is_none_or(|asked| place.remote == asked))
        .collect()
}

/// Says that there is nowhere to push to, and the way to a fork.
fn nowhere(
    context: &Context,
    connection: &Connection,
    home: &Home,
    into: &Repository,
    into_name: &Name,
    findings: &mut Findings,
) {
    if into.archived {
        findings.stop(
            format!("{into_name} is archived: it takes no changes any more"),
            "ask its owners",
        );
        return;
    }
    let viewer = repositories::viewer(&connection.github).ok();
    let fork = viewer.map(|viewer| Name {
        owner: viewer.login,
        name: into_name.name.clone(),
    });
    let is_there = fork.as_ref().is_some_and(|fork| {
        let found = connection.repository(fork);
        found.is_ok_and(|found| found.may_push() && found.is_related_to(into))
    });
    let web = home.address.web();
    let next = match (fork, is_there) {
        (Some(fork), true) => {
            format!("you have a fork already: git remote add fork {web}/{fork}.git")
        }
        (Some(fork), false) => format!(
            "make a fork at {web}/{into_name}/fork, then: git remote add fork {web}/{fork}.git"
        ),
        (None, _) => format!("make a fork at {web}/{into_name}/fork, and add it as a remote"),
    };
    findings.stop(
        format!(
            "you may not push to {into_name}, and no remote leads to a fork of it that is yours"
        ),
        next,
    );
    context.ui.explain(&safe(&format!(
        "looked at the remotes {}",
        home.places
            .iter()
            .map(|place| place.remote.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    )));
}

/// The remote to push to where GitHub cannot be asked: the first in order.
pub(super) fn without_token(
    home: &Home,
    places: &[GitHubRemote],
    asked: Option<&str>,
    findings: &mut Findings,
) -> Option<Source> {
    let Some(place) = tried(places, asked).into_iter().next() else {
        findings.stop(
            format!(
                "no remote that was asked for leads to {}",
                home.address.host()
            ),
            "git remote --verbose",
        );
        return None;
    };
    Some(Source {
        remote: place.remote.clone(),
        name: place.name.clone(),
        is_fork: !place.name.is(&home.name),
    })
}
