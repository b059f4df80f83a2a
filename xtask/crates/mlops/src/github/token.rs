//! The token for one GitHub host: from the environment, gh, or git's credential helpers, in that order. A
//! token is only sent to its own host.

use std::time::Duration;

use secrecy::SecretString;
use xshell::cmd;
use xtask_remote::github::Address;
use xtask_remote::github::repositories::Name;

use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::git::{Git, Login};
use crate::process;
use crate::vars;

/// A token and its source.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The token itself.
    pub(crate) secret: SecretString,
    /// Its source, for messages.
    pub(crate) source: String,
}

impl Token {
    /// git's credential over http: from its own credential helpers, else this token. `None` if git has its
    /// own Authorization header: GitHub refuses two in one request.
    pub(crate) fn login(&self, git: &Git, address: &Address, name: &Name) -> Option<Login> {
        if git.has_a_header(&format!("{}/{name}.git", address.web())) {
            return None;
        }
        let own = git.credential(address.web(), &name.to_string());
        Some(own.unwrap_or_else(|| Login::with_token(address.web(), &self.secret)))
    }
}

/// The token for a GitHub host; `None` if there is none.
pub(super) fn find(context: &Context, git: &Git, address: &Address, name: &Name) -> Option<Token> {
    of_the_environment(context, address)
        .or_else(|| of_gh(context, address))
        .or_else(|| {
            Some(Token {
                secret: git
                    .credential(address.web(), &format!("{name}.git"))?
                    .secret(),
                source: "git's credential helper".to_owned(),
            })
        })
}

fn of_the_environment(context: &Context, address: &Address) -> Option<Token> {
    let server = context.env.get(vars::GITHUB_SERVER_URL);
    let is_here = |server: &str| {
        server
            .trim_end_matches('/')
            .eq_ignore_ascii_case(address.web())
    };
    // On GitHub Actions, GITHUB_TOKEN is for the server that runs the job.
    let fits = |name: &str| match server {
        Some(server) if name == vars::GITHUB_TOKEN => is_here(server),
        _ => address.is_cloud() == vars::CLOUD_TOKENS.contains(&name),
    };
    let names = vars::CLOUD_TOKENS.iter().chain(vars::SERVER_TOKENS);
    names.filter(|name| fits(name)).find_map(|name| {
        Some(Token {
            secret: SecretString::from(context.env.get(name)?.trim().to_owned()),
            source: (*name).to_owned(),
        })
    })
}

/// The timeout of gh, whose keyring may wait for a password.
const GH: Duration = Duration::from_secs(10);

fn of_gh(context: &Context, address: &Address) -> Option<Token> {
    let gh = which::which("gh").ok().filter(|_| !address.is_local())?;
    let host = address.host();
    let line = cmd!(sh(), "{gh} auth token --hostname {host}");
    let command = child_env::command(&context.env, Program::Gh, line, &context.root);
    let (ui, interrupt) = (&context.ui, &context.interrupt);
    let finished = process::run_within(ui, interrupt, command, Some(GH), &mut |_| ()).ok()?;
    let token = finished.stdout.trim().to_owned();
    (finished.ok() && !token.is_empty()).then(|| Token {
        secret: SecretString::from(token),
        source: "gh auth token".to_owned(),
    })
}
