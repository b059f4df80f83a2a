//! The GitHub repository of this clone, and the token for it.
//!
//! [`Home`] comes from the remotes without a call; [`Connection`] adds the token.

mod address;
mod head;
mod token;
mod upstream;

use std::sync::{Arc, Mutex, PoisonError};

use xtask_remote::Credentials;
use xtask_remote::github::repositories::{self, Name, Repository};
use xtask_remote::github::{Address, GitHub};

use crate::context::Context;
use crate::error::Failure;
use crate::git::{Git, Remote};
use crate::ui;
use crate::vars;

pub(crate) use head::{Head, is_own, pushed_to};
pub(crate) use token::Token;
pub(crate) use upstream::Upstream;

/// A remote that points to a GitHub repository.
#[derive(Debug, Clone)]
pub(crate) struct GitHubRemote {
    /// The remote's name.
    pub(crate) remote: String,
    /// The GitHub.
    pub(crate) address: Address,
    /// The repository there.
    pub(crate) name: Name,
}

/// The repository for pull requests, as far as this clone knows.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The GitHub.
    pub(crate) address: Address,
    /// The repository.
    pub(crate) name: Name,
    /// Whether it was chosen explicitly: by a flag, xtask.toml, gh, or a remote named upstream. If not, a
    /// fork stands for its parent.
    pub(crate) chosen: bool,
    /// All remotes that point to this GitHub.
    pub(crate) places: Vec<GitHubRemote>,
}

/// A GitHub host with its client and token.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The client.
    pub(crate) github: GitHub,
    pub(crate) token: Option<Token>,
    /// Cached repositories, by the requested names.
    known: Arc<Mutex<Vec<(Name, Repository)>>>,
}

impl Home {
    /// Finds it from git's remotes. `asked` is the `owner/name` of the command line.
    pub(crate) fn find(context: &Context, git: &Git, asked: Option<&str>) -> anyhow::Result<Home> {
        let remotes = git.remotes()?;
        let by_address = pushed_to_an_address(git, &remotes);
        let places: Vec<GitHubRemote> = remotes
            .iter()
            .chain(&by_address)
            .filter_map(|remote| address::place(context, git, remote))
            .collect();
        let Some(usual) = usual(git, &places) else {
            return Err(no_place(context, git, &remotes));
        };
        let named = asked.or(context.config.github.repository.as_deref());
        if let Some(named) = named {
            let name = Name::parse(named).ok_or_else(|| {
                Failure::usage(format!(
                    "{named:?} is not a repository: expected owner/name"
                ))
            })?;
            return Ok(Home::at(usual.address.clone(), name, true, places));
        }
        if let Some(name) = resolved_by_gh(git, &places) {
            return Ok(Home::at(usual.address.clone(), name, true, places));
        }
        let upstream = places.iter().find(|place| place.remote == "upstream");
        let (place, chosen) = match upstream {
            Some(upstream) => (upstream, true),
            None => (usual, false),
        };
        let (address, name) = (place.address.clone(), place.name.clone());
        Ok(Home::at(address, name, chosen, places))
    }

    fn at(address: Address, name: Name, chosen: bool, mut places: Vec<GitHubRemote>) -> Home {
        places.retain(|place| place.address == address);
        Home {
            address,
            name,
            chosen,
            places,
        }
    }

    /// Connects with the token found, if any.
    pub(crate) fn connect(&self, context: &Context, git: &Git) -> anyhow::Result<Connection> {
        let token = token::find(context, git, &self.address, &self.name);
        let credentials = token.as_ref().map_or(Credentials::None, |token| {
            Credentials::Bearer(token.secret.clone())
        });
        Ok(Connection {
            github: client(context, &self.address, credentials)?,
            token,
            known: Arc::default(),
        })
    }
}

impl Connection {
    /// The repository of a name, requested once. Its current name may differ after a rename or transfer.
    pub(crate) fn repository(&self, name: &Name) -> Result<Repository, xtask_remote::Error> {
        if let Some(told) = self.told(name) {
            return Ok(told);
        }
        let repository = repositories::get(&self.github, name)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((name.clone(), repository.clone()));
        Ok(repository)
    }

    fn told(&self, name: &Name) -> Option<Repository> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(asked, _)| asked.is(name));
        found.map(|(_, repository)| repository.clone())
    }

    /// The current name of a repository, if already requested.
    pub(crate) fn told_name(&self, name: &Name) -> Option<Name> {
        self.told(name)?.name()
    }

    /// The current name of a repository; the given name if unknown.
    pub(crate) fn name_now(&self, name: &Name) -> Name {
        let told = self.token.as_ref().and_then(|_| self.repository(name).ok());
        told.and_then(|repository| repository.name())
            .unwrap_or_else(|| name.clone())
    }

    /// The remote of a repository, by its current or an earlier name.
    pub(crate) fn place_of<'h>(&self, home: &'h Home, name: &Name) -> Option<&'h GitHubRemote> {
        let mut places = home.places.iter();
        places
            .clone()
            .find(|place| place.name.is(name))
            .or_else(|| places.find(|place| self.name_now(&place.name).is(name)))
    }
}

/// A client that logs calls for `--explain`, reports waits, and stops waiting on Ctrl-C.
fn client(
    context: &Context,
    address: &Address,
    credentials: Credentials,
) -> anyhow::Result<GitHub> {
    let ui = context.ui.clone();
    Ok(GitHub::new(address, credentials)?
        .observed(&(Arc::new(move |call: &str| ui.explain(call)) as _))
        .pausing(&context.pause()))
}

/// The web page of a git URL's repository, and whether it is on GitHub; `None` for folders and other URLs.
pub(crate) fn page_of(context: &Context, git: &Git, url: &str) -> Option<(String, bool)> {
    let (address, name) =
        address::repository(url, |host| address::behind_alias(context, git, host))?;
    // An ssh alias is not a web host.
    if !address.host().contains('.') && !url.starts_with("http") {
        return None;
    }
    let page = format!("{}/{name}", address.web());
    Some((page, address::is_github(context, &address)))
}

/// The push target of a branch, if git's settings name a URL instead of a remote.
fn pushed_to_an_address(git: &Git, remotes: &[Remote]) -> Option<Remote> {
    let to = git.push_target(&git.branch()?).remote?;
    let is_name = remotes.iter().any(|remote| remote.name == to);
    (!is_name).then(|| Remote {
        name: to.clone(),
        push: vec![to.clone()],
        fetch: to.clone(),
        written: to,
    })
}

/// The default remote: the current branch's upstream, else `origin`, else the only one.
fn usual<'p>(git: &Git, places: &'p [GitHubRemote]) -> Option<&'p GitHubRemote> {
    let tracked = git.branch().and_then(|branch| git.tracked(&branch));
    let named = |name: &str| places.iter().find(|place| place.remote == name);
    named("origin")
        .or_else(|| named(&tracked?.0))
        .or_else(|| places.first())
}

/// The repository set by `gh repo set-default`.
fn resolved_by_gh(git: &Git, places: &[GitHubRemote]) -> Option<Name> {
    places.iter().find_map(|place| {
        let value = git.setting(&format!("remote.{}.gh-resolved", place.remote))?;
        match value.as_str() {
            "base" => Some(place.name.clone()),
            other => Name::parse(other),
        }
    })
}

fn no_place(context: &Context, git: &Git, remotes: &[Remote]) -> anyhow::Error {
    let Some(remote) = remotes.first() else {
        return Failure::usage("this clone has no remote to push to")
            .next("git remote add origin https://github.com/OWNER/NAME.git")
            .into();
    };
    let host =
        address::host(context, git, &remote.fetch).unwrap_or_else(|| "a local folder".to_owned());
    Failure::usage(format!(
        "no remote points to GitHub: {} points to {}",
        ui::safe(&remote.name),
        ui::safe(&host)
    ))
    .next("for a GitHub Enterprise Server, set host = \"HOST\" in [github] of xtask.toml")
    .into()
}

/// The environment variable of a GitHub host's token.
pub(crate) fn token_variable(address: &Address) -> &'static str {
    let names = match address.is_cloud() {
        true => vars::CLOUD_TOKENS,
        false => vars::SERVER_TOKENS,
    };
    names.first().copied().unwrap_or_default()
}

/// The failure for a rejected token.
pub(crate) fn not_accepted(home: &Home, token: &Token) -> Failure {
    let host = home.address.host();
    let source = &token.source;
    let other = match vars::GITHUB_TOKENS.contains(&source.as_str()) {
        true => source,
        false => token_variable(&home.address),
    };
    Failure::signed_out(format!("{host} rejected the token from {source}")).next(format!(
        "gh auth login --hostname {host}   # or set {other} to a new token: {}/settings/tokens",
        home.address.web()
    ))
}

/// The repository; a fork that was not chosen explicitly stands for its parent.
pub(crate) fn repository(
    connection: &Connection,
    home: &Home,
) -> Result<Repository, xtask_remote::Error> {
    let repository = connection.repository(&home.name)?;
    let parent = repository
        .parent
        .as_ref()
        .filter(|_| repository.fork && !home.chosen)
        .and_then(|parent| Name::parse(&parent.full_name));
    match parent {
        Some(parent) => connection.repository(&parent),
        None => Ok(repository),
    }
}
