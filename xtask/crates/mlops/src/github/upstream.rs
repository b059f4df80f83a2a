//! The repository on GitHub that pull requests go to, and what opens it: for commands that write to it.

use xtask_remote::github::repositories::{Name, Repository};

use crate::context::Context;
use crate::error::Failure;
use crate::git::{Git, Login};
use crate::github::{self, Connection, Home, Token};
use crate::ui::safe_line;

/// The repository, and what opens it.
pub(crate) struct Upstream {
    pub(crate) connection: Connection,
    pub(crate) into: Name,
    /// The remote that leads to it.
    pub(crate) remote: String,
    /// What git signs in with, where it has nothing of its own.
    pub(crate) login: Option<Login>,
}

impl Upstream {
    /// Finds it.
    pub(crate) fn open(context: &Context, git: &Git) -> anyhow::Result<Upstream> {
        let home = Home::find(context, git, None)?;
        let connection = home.connect(context, git)?;
        let host = home.address.host();
        let Some(token) = &connection.token else {
            return Failure::missing(format!("no token for {host}: promoting needs one"))
                .next(format!("gh auth login --hostname {host}"))
                .err();
        };
        let repository = github::repository(&connection, &home)
            .map_err(|error| not_opened(&error, &home, token))?;
        let into = repository.name().unwrap_or_else(|| home.name.clone());
        may_push(&repository, &into)?;
        let Some(place) = connection.place_of(&home, &into) else {
            return Failure::usage(format!("no remote of this clone leads to {into}"))
                .next(format!(
                    "git remote add upstream {}/{into}.git",
                    home.address.web()
                ))
                .err();
        };
        let login = token.login(git, &home.address, &into);
        let remote = place.remote.clone();
        Ok(Upstream {
            remote,
            login,
            into,
            connection,
        })
    }

    /// Fetches a branch, and says where it is; `None` where the remote has no such branch.
    pub(crate) fn fetch(&self, git: &Git, branch: &str) -> anyhow::Result<Option<String>> {
        git.bring(&self.remote, branch, self.login.as_ref())
    }
}

fn may_push(repository: &Repository, into: &Name) -> anyhow::Result<()> {
    if repository.may_push() {
        return Ok(());
    }
    Failure::failed(format!("you may not write to {into}: promoting needs that"))
        .next("ask a maintainer, or ask for the permission `write`")
        .err()
}

fn not_opened(error: &xtask_remote::Error, home: &Home, token: &Token) -> anyhow::Error {
    let (host, source) = (home.address.host(), &token.source);
    let what = match error.status() {
        Some(401) => return github::not_accepted(home, token).into(),
        Some(404) => format!(
            "{host} has no repository {}, or the token from {source} may not see it",
            home.name
        ),
        _ => format!("{host} does not answer as it should"),
    };
    Failure::service(what)
        .details(safe_line(&error.to_string()))
        .next(format!("gh auth login --hostname {host}"))
        .into()
}
