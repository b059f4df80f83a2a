//! Failures: what failed, why, what to type next; and the exit codes.

use std::fmt;

use crate::vars;

/// The kinds of failure. Each has one exit code, listed in docs/exit-codes.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A test, a task or a check failed.
    Failed,
    /// The command line, xtask.toml or the bundle is invalid.
    Usage,
    /// This machine lacks something: a tool, Python, disk, network.
    Missing,
    /// A service did not answer, or refused.
    Service,
    /// There is nothing to wait for.
    Nothing,
    /// Not authenticated: the remedy is to sign in again.
    SignedOut,
    /// A wait ended before what it waited for.
    Pending,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Kind {
    /// Its name in the answer of `--json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::Missing => "missing",
            Kind::Service => "service",
            Kind::Nothing => "nothing",
            Kind::SignedOut => "signed_out",
            Kind::Pending => "pending",
            Kind::Interrupted => "interrupted",
        }
    }

    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Missing => 3,
            Kind::Service => 4,
            Kind::Nothing => 5,
            Kind::SignedOut => 6,
            Kind::Pending => 8,
            Kind::Interrupted => 130,
        }
    }
}

/// A failure with its remedy. Travels inside `anyhow::Error`; [`report`] renders it.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    what: String,
    details: Option<String>,
    next: Vec<String>,
}

impl Failure {
    /// A failure of a kind; `what` is one sentence without a period.
    pub fn new(kind: Kind, what: impl Into<String>) -> Failure {
        Failure {
            kind,
            what: what.into(),
            details: None,
            next: Vec::new(),
        }
    }

    /// A [`Kind::Failed`].
    pub fn failed(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Failed, what)
    }

    /// A [`Kind::Usage`].
    pub fn usage(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, what)
    }

    /// A [`Kind::Missing`].
    pub fn missing(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Missing, what)
    }

    /// A [`Kind::Service`].
    pub fn service(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Service, what)
    }

    /// A [`Kind::Nothing`].
    pub fn nothing(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Nothing, what)
    }

    /// A [`Kind::SignedOut`].
    pub fn signed_out(what: impl Into<String>) -> Failure {
        Failure::new(Kind::SignedOut, what)
    }

    /// A [`Kind::Pending`].
    pub fn pending(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Pending, what)
    }

    /// A [`Kind::Interrupted`].
    pub fn interrupted(what: impl Into<String>) -> Failure {
        Failure::new(Kind::Interrupted, what)
    }

    /// Adds an excerpt of a program's output or the body of a reply.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Failure {
        let details = details.into();
        self.details = (!details.trim().is_empty()).then(|| details.trim_end().to_owned());
        self
    }

    /// Adds a command to type, or a sentence that says what to do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Failure {
        self.next.push(next.into());
        self
    }

    /// The same failure as the error of a `Result`.
    pub fn err<T>(self) -> anyhow::Result<T> {
        Err(self.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// What was done of a plan whose next step failed; travels with the step's own error.
#[derive(Debug)]
pub(crate) struct Partly {
    /// The steps that were applied.
    pub(crate) done: Vec<String>,
    /// The step that failed, and those after it.
    pub(crate) left: Vec<String>,
}

impl Partly {
    /// The error of a step, with what was done before it.
    pub(crate) fn wrap(self, error: anyhow::Error) -> anyhow::Error {
        match self.done.is_empty() {
            true => error,
            false => error.context(self),
        }
    }
}

impl fmt::Display for Partly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, left) = (self.done.len(), self.left.len());
        write!(f, "stopped after step {done} of {}", done + left)
    }
}

/// What is printed about an error, in that order.
#[derive(Debug)]
pub(crate) struct Report {
    /// The first line.
    pub(crate) what: String,
    /// Why, outermost cause first.
    pub(crate) causes: Vec<String>,
    /// Output of the program or service that failed.
    pub(crate) details: Option<String>,
    /// The steps of the plan that were applied before the one that failed.
    pub(crate) done: Vec<String>,
    /// The step that failed, and those after it.
    pub(crate) left: Vec<String>,
    /// What to type or do.
    pub(crate) next: Vec<String>,
    /// The kind, which has the exit code.
    pub(crate) kind: Kind,
}

/// The command that signs in to a service, given its base address or `profile NAME`.
pub(crate) fn sign_in(service: &str) -> String {
    let address = service.split("://").nth(1).unwrap_or_default();
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    if let Some(profile) = service.strip_prefix("profile ") {
        return format!("databricks auth login --profile {profile}");
    }
    if host == "api.github.com" || path.starts_with("api") {
        let host = host.strip_prefix("api.").unwrap_or(host);
        let variable = match host == "github.com" || host.ends_with(".ghe.com") {
            true => vars::CLOUD_TOKENS[0],
            false => vars::SERVER_TOKENS[0],
        };
        return format!("gh auth login --hostname {host}   # or set {variable}");
    }
    if host.starts_with("127.0.0.1") {
        return "cargo xtask workspace down   # the next command starts it with a new token"
            .to_owned();
    }
    match host {
        "" => "databricks auth login".to_owned(),
        _ => format!("databricks auth login --host {service}   # in CI: update the secret"),
    }
}

/// Turns an error into what is shown; the innermost [`Failure`] gives kind and remedy. A failed call
/// without a [`Failure`] around it is a [`Kind::Service`].
pub(crate) fn report(error: &anyhow::Error) -> Report {
    let failure = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<Failure>())
        .last();
    let call = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<xtask_remote::Error>());
    let service = call.map(|call| match call {
        xtask_remote::Error::SignedOut { service, .. } => {
            Failure::signed_out("").next(sign_in(service))
        }
        _ => Failure::service("").next("run it again with --explain to see each call"),
    });
    let failure = failure.or(service.as_ref());
    let partly = error.downcast_ref::<Partly>();
    let own = partly.map(ToString::to_string);
    let mut said = error
        .chain()
        .map(ToString::to_string)
        .filter(|said| own.as_ref() != Some(said));
    let what = said.next().unwrap_or_default();
    Report {
        what,
        causes: said.collect(),
        done: partly.map(|partly| partly.done.clone()).unwrap_or_default(),
        left: partly.map(|partly| partly.left.clone()).unwrap_or_default(),
        details: failure.and_then(|failure| failure.details.clone()),
        next: failure
            .map(|failure| failure.next.clone())
            .unwrap_or_default(),
        kind: failure.map_or(Kind::Failed, |failure| failure.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_service_that_refuses_has_an_exit_code_of_its_own() {
        let refused = xtask_remote::Error::Unreachable {
            service: "http://127.0.0.1:1".to_owned(),
            reason: "connection refused".to_owned(),
        };
        let report = report(&anyhow::Error::new(refused).context("reading the run"));
        assert_eq!(report.kind.exit_code(), 4);
        assert_eq!(
            report.causes,
            ["http://127.0.0.1:1 does not answer (connection refused)"]
        );
    }

    #[test]
    fn who_is_signed_out_is_told_how_to_sign_in() {
        for (service, next) in [
            (
                "https://dbc-1.cloud.databricks.com",
                "databricks auth login --host https://dbc-1.cloud.databricks.com",
            ),
            (
                "https://api-1.cloud.databricks.com",
                "databricks auth login --host https://api-1.cloud.databricks.com",
            ),
            ("profile prod", "databricks auth login --profile prod"),
            (
                "https://api.github.com",
                "gh auth login --hostname github.com",
            ),
            (
                "http://127.0.0.1:4321/api/v3",
                "gh auth login --hostname 127.0.0.1:4321",
            ),
            (
                "https://github.example.com/api",
                "gh auth login --hostname github.example.com",
            ),
            (
                "https://github.example.com/api/v3",
                "gh auth login --hostname github.example.com",
            ),
            ("http://127.0.0.1:4321", "cargo xtask workspace down"),
            ("", "databricks auth login"),
        ] {
            let error = xtask_remote::Error::SignedOut {
                service: service.to_owned(),
                call: "GET /x".to_owned(),
                status: 401,
                message: "expired".to_owned(),
            };
            let report = report(&anyhow::Error::new(error).context("reading the run"));
            assert_eq!(report.kind, Kind::SignedOut);
            assert!(report.next[0].starts_with(next), "{:?}", report.next);
        }
    }

    #[test]
    fn a_report_keeps_the_remedy_through_added_context() {
        let error: anyhow::Result<()> = Failure::missing("no Python")
            .next("install Python 3.11")
            .err();
        let report = report(&error.context("preparing the environment").unwrap_err());
        assert_eq!(report.what, "preparing the environment");
        assert_eq!(report.causes, ["no Python"]);
        assert_eq!(report.next, ["install Python 3.11"]);
        assert_eq!(report.kind, Kind::Missing);
    }
}
