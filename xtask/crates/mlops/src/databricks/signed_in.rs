//! Whether a workspace on Databricks answers, and who one is there: asked before anything else is. The CLI repeats
//! a call for a quarter of an hour where nothing answers; this ends after [`ANSWER`], and says why.

use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xtask_remote::{Error, Headers, Method, Request, readable, refused};

use super::through_cli::{Answer, Exchange};
use super::words::{asks_to_sign_in, last_words};
use super::{Summary, Target};
use crate::bundle::Place;
use crate::error::{Failure, Kind, sign_in};
use crate::process::{self, Finished};
use crate::ui::safe_line;
use crate::vars;

/// How long a workspace may take to answer this question.
pub(crate) const ANSWER: Duration = Duration::from_secs(15);

/// Where a target's workspace is, and who one is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    /// The workspace's address, without a slash at its end.
    pub(crate) host: String,
    /// The user or service principal.
    pub(crate) user: String,
    /// The profile of the user's configuration file that the CLI takes; `None` where it takes none.
    pub(crate) profile: Option<String>,
}

/// What `databricks auth describe` prints.
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
    /// Who one is in the workspace of a target on Databricks; asked once. `limit` is how long it may take.
    ///
    /// # Errors
    /// [`Kind::Usage`] when nothing says which workspace it is; [`Kind::Service`] when it does not answer, answers
    /// with something else, or refuses; [`Kind::SignedOut`] when it does not know who asks.
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
        let given_up = |elapsed| elapsed > limit || exchange.had_no_connection();
        let finished = process::run_until(ui, interrupt, command, given_up, |_| ())?;
        let described = finished
            .as_ref()
            .and_then(|finished| serde_json::from_str::<Described>(&finished.stdout).ok());
        if let Some(described) = &described
            && described.status == "success"
        {
            let profile = described.details.configuration.profile.as_ref();
            // The CLI's word for none.
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

    /// The bundle's summary without its resources: where the state of the deployment is. No code of the checkout
    /// is run for it.
    ///
    /// # Errors
    /// [`Kind::Service`] when that takes longer than `limit`; else with what the CLI says.
    pub(crate) fn outlined_summary(&self, limit: Duration) -> anyhow::Result<Summary> {
        let mut command = self.outlined(&["bundle", "summary", "--output", "json"])?;
        command.env(
            vars::DATABRICKS_BUNDLE_TMP,
            self.outline()?.folder().join("state"),
        );
        let what = format!("the state of target {} cannot be read", self.name);
        let finished = self.succeed_within(command, &what, limit)?;
        self.understood(&finished.stdout, &what)
    }

    /// Says what a workspace answered that did not say who one is.
    fn answered<T>(&self, service: &str, answer: &Answer) -> anyhow::Result<T> {
        let request = Request::new(Method::Get, "/api/2.0/preview/scim/v2/Me");
        if answer.status < 400 {
            let what = format!("{service} answers with a web page, not as a Databricks workspace");
            return Failure::new(Kind::Service, what)
                .details(readable(answer.body.as_bytes()))
                .next(format!(
                    "look where {service} leads in a browser: a proxy or VPN may want you to sign in, \
                     or the address is another one ({})",
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
                let failure = Failure::new(Kind::Service, what)
                    .details(format!("{status}: {}", safe_line(&message)));
                match status {
                    401..=403 => failure.next(
                        "ask an administrator of the workspace: the address or the account that you come from may not \
                         be allowed",
                    ),
                    _ => failure.next("try it again later"),
                }
                .err()
            }
            other => Err(other.into()),
        }
    }

    fn who_asks(&self) -> String {
        match &self.place {
            Place::Databricks {
                profile: Some(profile),
                ..
            } => format!("profile {profile}"),
            _ => "this call".to_owned(),
        }
    }

    /// Says why the CLI did not come to a call. It prints the reason only with a command that fails.
    fn not_asked<T>(
        &self,
        service: &str,
        described: &Finished,
        limit: Duration,
    ) -> anyhow::Result<T> {
        let command = self.outlined(&["current-user", "me", "--output", "json"])?;
        let (ui, interrupt) = (&self.context.ui, &self.context.interrupt);
        let given_up = |elapsed| elapsed > limit;
        let finished = process::run_until(ui, interrupt, command, given_up, |_| ())?;
        let said = finished.map_or(described.stderr.clone(), |finished| finished.stderr);
        match asks_to_sign_in(&said) {
            true => self.signed_out(service, &last_words(&said)),
            false => {
                let what = format!("the Databricks CLI cannot sign in to {service}");
                Failure::new(Kind::SignedOut, what)
                    .details(last_words(&said))
                    .next(format!("mend what it names, or {}", self.names_host()))
                    .err()
            }
        }
    }

    fn signed_out<T>(&self, service: &str, said: &str) -> anyhow::Result<T> {
        let what = format!("you are not signed in to {service}");
        let failure = Failure::new(Kind::SignedOut, what).details(said);
        self.ways_to_sign_in(failure).err()
    }

    /// Adds how one signs in.
    pub(super) fn ways_to_sign_in(&self, failure: Failure) -> Failure {
        failure
            .next(sign_in(&self.service(None)))
            .next("in CI: DATABRICKS_CLIENT_ID of a service principal, and its secret or GitHub's token: docs/ci.md")
    }

    /// Whether anything says which workspace the target is on. The CLI would take that of the profile `DEFAULT`.
    fn has_address(&self) -> anyhow::Result<()> {
        let Place::Databricks { host, profile } = &self.place else {
            return Ok(());
        };
        let env = &self.context.env;
        let in_env = [vars::DATABRICKS_HOST, vars::DATABRICKS_CONFIG_PROFILE];
        if host.is_some() || profile.is_some() || in_env.iter().any(|name| env.get(name).is_some())
        {
            return Ok(());
        }
        let what = format!("nothing says which workspace target {} is on", self.name);
        Failure::new(Kind::Usage, what)
            .details("the Databricks CLI would take the profile DEFAULT of ~/.databrickscfg")
            .next(self.names_host())
            .next(format!(
                "or set {} or {}",
                vars::DATABRICKS_HOST,
                vars::DATABRICKS_CONFIG_PROFILE
            ))
            .err()
    }

    /// Where the bundle says which workspace a target is on.
    fn names_host(&self) -> String {
        format!(
            "write `host: https://…` below targets.{}.workspace in databricks.yml",
            self.name
        )
    }

    /// A command of the CLI that signs in as the bundle says for this target, and reads nothing else of it.
    pub(super) fn outlined(&self, args: &[&str]) -> anyhow::Result<Command> {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(&self.program);
        command.args(args).args(["--target", &self.name]);
        self.surround(&mut command);
        command.current_dir(self.outline()?.folder());
        // A group of its own: what the CLI has started for signing in ends with it.
        command.process_group(0);
        Ok(command)
    }
}

/// Says what kept a workspace from answering, as far as the CLI's log tells.
fn no_answer<T>(service: &str, exchange: &Exchange, limit: Duration) -> anyhow::Result<T> {
    let what = match exchange.last_error() {
        Some(reason) => format!("{service} does not answer ({reason})"),
        None => format!("{service} did not answer within {} s", limit.as_secs()),
    };
    Failure::new(Kind::Service, what)
        .next("check the address, the VPN and the proxy, or try it again later")
        .err()
}

/// An address in one form, however it was written.
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
