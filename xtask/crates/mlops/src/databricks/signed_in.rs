//! Checks that a Databricks workspace responds and who is signed in, before anything else. The CLI retries
//! an unreachable workspace for 15 minutes; this stops after [`ANSWER`] and says why.

use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xshell::cmd;
use xtask_remote::{Error, Headers, Method, Request, readable, refused};

use super::through_cli::{Answer, Exchange};
use super::words::{asks_to_sign_in, last_words};
use super::{Summary, Target};
use crate::bundle::TargetWorkspace;
use crate::child_env::sh;
use crate::error::{Failure, sign_in};
use crate::process::{self, Finished};
use crate::ui::safe_line;
use crate::vars;

/// The timeout of this check.
pub(crate) const ANSWER: Duration = Duration::from_secs(15);

/// A target's workspace and the signed-in identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    /// The workspace's URL without a trailing slash.
    pub(crate) host: String,
    /// The user or service principal.
    pub(crate) user: String,
    /// The profile that the CLI uses; `None` if it uses none.
    pub(crate) profile: Option<String>,
}

/// The output of `databricks auth describe`.
#[derive(Debug, Deserialize)]
struct Described {
    status: String,
    #[serde(default)]
    username: String,
    details: Details,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    host: String,
    #[serde(default)]
    configuration: Configuration,
}

#[derive(Debug, Default, Deserialize)]
struct Configuration {
    profile: Option<Setting>,
}

#[derive(Debug, Deserialize)]
struct Setting {
    value: String,
}

impl Target<'_> {
    /// The identity in the workspace of a target on Databricks, requested once, within `limit`.
    pub(crate) fn signed_in(&self, limit: Duration) -> anyhow::Result<&SignedIn> {
        if let Some(known) = self.signed_in.get() {
            return Ok(known);
        }
        let found = self.who(limit)?;
        Ok(self.signed_in.get_or_init(|| found))
    }

    fn who(&self, limit: Duration) -> anyhow::Result<SignedIn> {
        self.has_address()?;
        let cache = self.context.local().join("cache");
        let exchange = Exchange::begin(&cache)?;
        let mut command = self.outlined(&["auth", "describe", "--output", "json"])?;
        exchange.keep_log(&mut command);
        let (ui, interrupt) = (&self.context.ui, &self.context.interrupt);
        let mut given_up = |elapsed| elapsed > limit || exchange.had_no_connection();
        let finished = process::run_until(ui, interrupt, command, &mut given_up, &mut |_| ())?;
        let described = finished
            .as_ref()
            .and_then(|finished| xtask_remote::json::from_str::<Described>(&finished.stdout).ok());
        if let Some(described) = &described
            && described.status == "success"
        {
            let profile = described.details.configuration.profile.as_ref();
            // The CLI's value for no profile.
            let profile = profile.filter(|profile| profile.value != "default");
            return Ok(SignedIn {
                host: address(&described.details.host),
                user: described.username.clone(),
                profile: profile.map(|profile| profile.value.clone()),
            });
        }
        let host = described.map(|described| described.details.host);
        let host = host.filter(|host| !host.is_empty());
        let service = self.service(host.as_deref());
        match (exchange.answer(), finished) {
            (Some(answer), _) => self.answered(&service, &answer),
            (None, None) => no_answer(&service, &exchange, limit),
            (None, Some(finished)) => self.not_asked(&service, &finished, limit),
        }
    }

    /// The bundle's summary without its resources: where the deployment's state is. Runs no code of the
    /// checkout.
    pub(crate) fn outlined_summary(&self, limit: Duration) -> anyhow::Result<Summary> {
        let mut command = self.outlined(&["bundle", "summary", "--output", "json"])?;
        command.env(
            vars::DATABRICKS_BUNDLE_TMP,
            self.outline()?.folder().join("state"),
        );
        let what = format!("could not read the state of target {}", self.name);
        let finished = self.succeed_within(command, &what, limit)?;
        self.understood(&finished.stdout, &what)
    }

    /// The failure for an unexpected response to the identity check.
    fn answered<T>(&self, service: &str, answer: &Answer) -> anyhow::Result<T> {
        let request = Request::new(Method::Get, "/api/2.0/preview/scim/v2/Me");
        if answer.status < 400 {
            return Failure::service(format!(
                "{service} returned a web page, not a Databricks API response"
            ))
            .details(readable(answer.body.as_bytes()))
            .next(format!(
                "open {service} in a browser: a proxy or VPN may require sign-in, or the address \
                     is wrong ({})",
                self.names_host()
            ))
            .err();
        }
        let body = answer.body.as_bytes();
        match refused(&request, answer.status, &Headers::default(), body) {
            Error::SignedOut { message, .. } => self.signed_out(service, &message),
            Error::Refused {
                status, message, ..
            }
            | Error::Limited {
                status, message, ..
            } => {
                let verb = if status < 500 {
                    "refuses"
                } else {
                    "does not serve"
                };
                let what = format!("{service} {verb} {}", self.who_asks());
                let failure =
                    Failure::service(what).details(format!("{status}: {}", safe_line(&message)));
                match status {
                    401..=403 => failure.next(
                        "ask a workspace administrator: your IP address or account may not be allowed",
                    ),
                    _ => failure.next("try again later"),
                }
                .err()
            }
            other => Err(other.into()),
        }
    }

    fn who_asks(&self) -> String {
        match &self.workspace {
            TargetWorkspace::Databricks {
                profile: Some(profile),
                ..
            } => format!("profile {profile}"),
            _ => "this call".to_owned(),
        }
    }

    /// The failure if the CLI made no call. It prints the reason only with a failing command.
    fn not_asked<T>(
        &self,
        service: &str,
        described: &Finished,
        limit: Duration,
    ) -> anyhow::Result<T> {
        let command = self.outlined(&["current-user", "me", "--output", "json"])?;
        let (ui, interrupt) = (&self.context.ui, &self.context.interrupt);
        let mut given_up = |elapsed| elapsed > limit;
        let finished = process::run_until(ui, interrupt, command, &mut given_up, &mut |_| ())?;
        let said = finished.map_or(described.stderr.clone(), |finished| finished.stderr);
        match asks_to_sign_in(&said) {
            true => self.signed_out(service, &last_words(&said)),
            false => {
                let what = format!("the Databricks CLI cannot sign in to {service}");
                Failure::signed_out(what)
                    .details(last_words(&said))
                    .next(format!("fix what it names, or {}", self.names_host()))
                    .err()
            }
        }
    }

    fn signed_out<T>(&self, service: &str, said: &str) -> anyhow::Result<T> {
        let what = format!("not authenticated to {service}");
        let failure = Failure::signed_out(what).details(said);
        self.ways_to_sign_in(failure).err()
    }

    /// Adds the sign-in commands.
    pub(super) fn ways_to_sign_in(&self, failure: Failure) -> Failure {
        failure
            .next(sign_in(&self.service(None)))
            .next("in CI: set DATABRICKS_CLIENT_ID of a service principal, with its secret or GitHub OIDC: docs/ci.md")
    }

    /// Checks that the target's workspace is configured. The CLI would fall back to the profile `DEFAULT`.
    fn has_address(&self) -> anyhow::Result<()> {
        let TargetWorkspace::Databricks { host, profile } = &self.workspace else {
            return Ok(());
        };
        let env = &self.context.env;
        let in_env = [vars::DATABRICKS_HOST, vars::DATABRICKS_CONFIG_PROFILE];
        if host.is_some() || profile.is_some() || in_env.iter().any(|name| env.get(name).is_some())
        {
            return Ok(());
        }
        Failure::usage(format!("no workspace configured for target {}", self.name))
            .details("the Databricks CLI would use the profile DEFAULT of ~/.databrickscfg")
            .next(self.names_host())
            .next(format!(
                "or set {} or {}",
                vars::DATABRICKS_HOST,
                vars::DATABRICKS_CONFIG_PROFILE
            ))
            .err()
    }

    /// Where to configure a target's workspace.
    fn names_host(&self) -> String {
        format!(
            "write `host: https://…` below targets.{}.workspace in databricks.yml",
            self.name
        )
    }

    /// A CLI command with this target's sign-in settings and no other part of the bundle.
    pub(super) fn outlined(&self, args: &[&str]) -> anyhow::Result<Command> {
        use std::os::unix::process::CommandExt as _;
        let Target { program, name, .. } = self;
        let mut command = Command::from(cmd!(sh(), "{program} {args...} --target {name}"));
        self.surround(&mut command);
        command.current_dir(self.outline()?.folder());
        // Its own process group, so that the CLI's sign-in helpers are killed with it.
        command.process_group(0);
        Ok(command)
    }
}

/// Why a workspace did not respond, from the CLI's log.
fn no_answer<T>(service: &str, exchange: &Exchange, limit: Duration) -> anyhow::Result<T> {
    let what = match exchange.last_error() {
        Some(reason) => format!("{service} is not reachable ({reason})"),
        None => format!("{service} did not respond within {} s", limit.as_secs()),
    };
    Failure::service(what)
        .next("check the address, the VPN and the proxy, or try again later")
        .err()
}

/// Normalises a URL.
pub(crate) fn address(text: &str) -> String {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host {
        "" => String::new(),
        host => format!("{scheme}://{host}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        for (written, form) in [
            (
                "https://a.cloud.databricks.com",
                "https://a.cloud.databricks.com",
            ),
            (
                "HTTPS://A.cloud.databricks.com/?o=17",
                "https://a.cloud.databricks.com",
            ),
            ("a.cloud.databricks.com/", "https://a.cloud.databricks.com"),
            (" http://localhost:8700/x ", "http://localhost:8700"),
            ("", ""),
        ] {
            assert_eq!(address(written), form);
        }
    }
}
