//! Where the branch is pushed to: the repository itself, or a fork of it. Remotes are used as they are;
//! none is added.

use xtask_remote::github::repositories::{self, Name, Repository};

use super::findings::Findings;
use crate::context::Context;
use crate::git::Git;
use crate::github::{Connection, Home, Place};
use crate::ui::safe;

/// Where the branch goes.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The remote.
    pub(super) remote: String,
    /// The repository that it leads to.
    pub(super) name: Name,
    /// Whether that is another one than the pull request goes to.
    pub(super) is_fork: bool,
}

/// Chooses the remote; `None` with a finding where there is none to push to.
///
/// # Errors
/// What GitHub says.
pub(super) fn choose(
    context: &Context,
    git: &Git,
    connection: &Connection,
    home: &Home,
    into: &Repository,
    asked: Option<&str>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Source>> {
    let into_name = into.name().unwrap_or_else(|| home.name.clone());
    let is_into =
        |place: &Place| place.name.is(&into_name) || place.name.is(&home.name) && home.chosen;
    for place in in_order(git, home, asked) {
        let is_fork = !is_into(place);
        let may_push = match (&connection.token, is_fork) {
            // Without a token nobody knows; the push will tell.
            (None, _) => !is_fork || asked.is_some(),
            (Some(_), false) => into.may_push(),
            (Some(_), true) => is_fork_of(connection, &place.name, &into_name)?,
        };
        if may_push {
            return Ok(Some(Source {
                remote: place.remote.clone(),
                name: place.name.clone(),
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

/// The remotes in the order in which they are tried: what git's own settings name, the repository
/// itself, the others.
fn in_order<'h>(git: &Git, home: &'h Home, asked: Option<&str>) -> Vec<&'h Place> {
    let named = |name: Option<String>| {
        let name = name?;
        home.places.iter().find(|place| place.remote == name)
    };
    if asked.is_some() {
        return named(asked.map(str::to_owned)).into_iter().collect();
    }
    let branch = git.branch().unwrap_or_default();
    let settings = [
        named(git.setting(&format!("branch.{branch}.pushRemote"))),
        named(git.setting("remote.pushDefault")),
        named(git.tracked(&branch).map(|(remote, _)| remote)),
        home.remote_of(&home.name),
    ];
    let mut order: Vec<&Place> = Vec::new();
    for place in settings.into_iter().flatten().chain(&home.places) {
        if !order.iter().any(|known| known.remote == place.remote) {
            order.push(place);
        }
    }
    order
}

/// Whether a repository is a fork of another, and may be pushed to.
fn is_fork_of(connection: &Connection, name: &Name, into: &Name) -> anyhow::Result<bool> {
    let repository = match repositories::get(&connection.github, name) {
        Err(error) if error.is_not_found() => return Ok(false),
        other => other?,
    };
    let parent = repository
        .parent
        .as_ref()
        .and_then(|parent| Name::parse(&parent.full_name));
    Ok(repository.may_push() && parent.is_some_and(|parent| parent.is(into)))
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
    let is_there = fork
        .as_ref()
        .is_some_and(|fork| is_fork_of(connection, fork, into_name).unwrap_or(false));
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

/// The remote to push to where GitHub cannot be asked: the one that git's settings name, else the one
/// that leads to the repository.
pub(super) fn without_token(
    git: &Git,
    home: &Home,
    asked: Option<&str>,
    findings: &mut Findings,
) -> Option<Source> {
    let Some(place) = in_order(git, home, asked).into_iter().next() else {
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
