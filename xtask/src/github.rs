//! Which GitHub repository this clone belongs to, and which token opens it.
//!
//! What the remotes say is worked out here without a call; `Connection` adds the token.

mod address;
mod token;

use std::sync::Arc;

use xtask_remote::Credentials;
use xtask_remote::github::repositories::{self, Name, Repository};
use xtask_remote::github::{Address, GitHub};

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::{Git, Remote};
use crate::ui;

pub(crate) use token::Token;

/// A remote that leads to a GitHub repository.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The remote's name.
    pub(crate) remote: String,
    /// The GitHub.
    pub(crate) address: Address,
    /// The repository there.
    pub(crate) name: Name,
}

/// The repository that pull requests go to, as far as this clone knows.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The GitHub.
    pub(crate) address: Address,
    /// The repository.
    pub(crate) name: Name,
    /// Whether somebody said so: a flag, xtask.toml, gh, or a remote called upstream. If not, and it is
    /// a fork, its parent is meant.
    pub(crate) chosen: bool,
    /// All remotes that lead to this GitHub.
    pub(crate) places: Vec<Place>,
}

/// A GitHub with what opens it.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The client.
    pub(crate) github: GitHub,
    /// The token, where there is one.
    pub(crate) token: Option<Token>,
}

impl Home {
    /// Works it out from git's remotes. `asked` is what the command line says: `owner/name`.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there is no remote, or none that leads to a GitHub.
    pub(crate) fn find(context: &Context, git: &Git, asked: Option<&str>) -> anyhow::Result<Home> {
        let remotes = git.remotes()?;
        let places: Vec<Place> = remotes
            .iter()
            .filter_map(|remote| address::place(context, git, remote))
            .collect();
        let Some(usual) = usual(git, &places) else {
            return Err(no_place(context, git, &remotes));
        };
        let named = asked.or(context.config.github.repository.as_deref());
        if let Some(named) = named {
            let name = Name::parse(named).ok_or_else(|| {
                Failure::new(
                    Kind::Usage,
                    format!("{named:?} is no repository: it is owner/name"),
                )
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

    fn at(address: Address, name: Name, chosen: bool, mut places: Vec<Place>) -> Home {
        places.retain(|place| place.address == address);
        Home {
            address,
            name,
            chosen,
            places,
        }
    }

    /// The remote that leads to a repository.
    pub(crate) fn remote_of(&self, name: &Name) -> Option<&Place> {
        self.places.iter().find(|place| place.name.is(name))
    }

    /// Opens it with the token that there is.
    ///
    /// # Errors
    /// When the system's certificates cannot be loaded.
    pub(crate) fn connect(&self, context: &Context, git: &Git) -> anyhow::Result<Connection> {
        let token = token::find(context, git, &self.address, &self.name);
        let credentials = token.as_ref().map_or(Credentials::None, |token| {
            Credentials::Bearer(token.secret.clone())
        });
        Ok(Connection {
            github: client(context, &self.address, credentials)?,
            token,
        })
    }
}

/// A client that shows its calls, says when it waits, and stops waiting on Ctrl-C.
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

/// The page of the repository that an address of git's leads to, and whether it is on a GitHub; `None` where
/// the address is a folder's, or no repository's.
pub(crate) fn page_of(context: &Context, git: &Git, url: &str) -> Option<(String, bool)> {
    let (address, name) =
        address::repository(url, |host| address::behind_alias(context, git, host))?;
    // A name of somebody's own ssh configuration is no web server's.
    if !address.host().contains('.') && !url.starts_with("http") {
        return None;
    }
    let page = format!("{}/{name}", address.web());
    Some((page, address::is_github(context, &address)))
}

/// The remote that one means without saying so: what the current branch tracks, else `origin`, else the
/// only one.
fn usual<'p>(git: &Git, places: &'p [Place]) -> Option<&'p Place> {
    let tracked = git.branch().and_then(|branch| git.tracked(&branch));
    let named = |name: &str| places.iter().find(|place| place.remote == name);
    named("origin")
        .or_else(|| named(&tracked?.0))
        .or_else(|| places.first())
}

/// The repository that `gh repo set-default` wrote down.
fn resolved_by_gh(git: &Git, places: &[Place]) -> Option<Name> {
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
        return Failure::new(
            Kind::Usage,
            "this clone has no remote: there is nowhere to push to",
        )
        .next("git remote add origin https://github.com/OWNER/NAME.git")
        .into();
    };
    let host =
        address::host(context, git, &remote.fetch).unwrap_or_else(|| "a local folder".to_owned());
    let what = format!(
        "no remote leads to a GitHub: {} leads to {}",
        ui::safe(&remote.name),
        ui::safe(&host)
    );
    Failure::new(Kind::Usage, what)
        .next("for a GitHub Enterprise Server write host = \"HOST\" below [github] in xtask.toml")
        .into()
}

/// The repository itself; a fork that nobody chose stands for its parent.
///
/// # Errors
/// What GitHub says.
pub(crate) fn repository(
    connection: &Connection,
    home: &Home,
) -> Result<Repository, xtask_remote::Error> {
    let repository = repositories::get(&connection.github, &home.name)?;
    let parent = repository
        .parent
        .as_ref()
        .filter(|_| repository.fork && !home.chosen)
        .and_then(|parent| Name::parse(&parent.full_name));
    match parent {
        Some(parent) => repositories::get(&connection.github, &parent),
        None => Ok(repository),
    }
}
