//! Why a call failed, with enough to tell the reader what to do.

use std::time::Duration;

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no connection: what was asked for was not done.
    #[error("{service} does not answer ({reason})")]
    NoConnection {
        /// Base address of the service.
        service: String,
        /// What the network said.
        reason: String,
    },
    /// The connection broke before the reply was complete.
    #[error("{service} does not answer ({reason})")]
    Unreachable {
        /// Base address of the service.
        service: String,
        /// What the network said.
        reason: String,
    },
    /// No reply within the deadline of the call.
    #[error("{service} did not answer within {deadline:?}")]
    Timeout {
        /// Base address of the service.
        service: String,
        /// How long was waited.
        deadline: Duration,
    },
    /// The service refused.
    #[error("{call}: {status}{}: {message}", spaced(code))]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: u16,
        /// The service's own code, such as `RESOURCE_DOES_NOT_EXIST`; empty where it has none.
        code: String,
        /// The service's explanation with its reasons, or the start of the body.
        message: String,
        /// The single things that it objects to, where it lists them.
        reasons: Vec<Reason>,
    },
    /// The service does not know who asks, or not any more: the way out is to sign in again. Nothing was
    /// done. Somebody known who may not do something is [`Error::Refused`], with 403.
    #[error("{call}: {status}: {message}")]
    SignedOut {
        /// Base address of the service; empty where it is not known.
        service: String,
        /// Method and path.
        call: String,
        /// HTTP status: 401; Databricks has 403 for a token that it does not know.
        status: u16,
        /// The service's explanation.
        message: String,
    },
    /// The service asks to wait. With 503 it may have begun what was asked for; else it was not done, as
    /// the service has had enough of our calls for now.
    #[error("{call}: {status}: {message}{}", asks_to_wait(*wait))]
    Limited {
        /// Method and path.
        call: String,
        /// HTTP status: 429 or 503, on GitHub also 403, and 200 for GraphQL.
        status: u16,
        /// The service's explanation.
        message: String,
        /// How long it asks to wait; `None` where it does not say.
        wait: Option<Duration>,
    },
    /// A reply that says 200 and ends before its JSON does.
    #[error("{call}: the reply ends too early (it starts with: {start})")]
    Truncated {
        /// Method and path.
        call: String,
        /// The start of the body.
        start: String,
    },
    /// The caller said stop.
    #[error("{call}: stopped")]
    Stopped {
        /// Method and path.
        call: String,
    },
    /// A reply that is not what the interface promises, such as a proxy's login page.
    #[error("{call}: the reply is not understood ({reason})")]
    Unexpected {
        /// Method and path.
        call: String,
        /// What is wrong with it, with the start of the body.
        reason: String,
    },
    /// A local file cannot be read or written.
    #[error("cannot read or write {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// One thing that a service objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of thing, such as `PullRequest`; may be empty.
    pub resource: String,
    /// The field; may be empty.
    pub field: String,
    /// The service's word for it: `missing`, `invalid`, `already_exists`, `custom`, ….
    pub code: String,
    /// What it says to people; may be empty.
    pub message: String,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.message.is_empty(), self.field.is_empty()) {
            (false, _) => f.write_str(&self.message),
            (true, false) => write!(f, "{} is {}", self.field, self.code.replace('_', " ")),
            (true, true) => f.write_str(&self.code),
        }
    }
}

fn spaced(code: &str) -> String {
    match code {
        "" => String::new(),
        code => format!(" {code}"),
    }
}

fn asks_to_wait(wait: Option<Duration>) -> String {
    wait.map(|wait| format!("; it asks to wait {} seconds", wait.as_secs()))
        .unwrap_or_default()
}

impl Error {
    /// Whether the service says that the thing asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Refused { status: 404, .. })
            || matches!(self, Error::Refused { code, .. } if code == "RESOURCE_DOES_NOT_EXIST")
    }

    /// Whether trying again may help: nothing arrived, or the service asked to wait.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Error::NoConnection { .. }
            | Error::Unreachable { .. }
            | Error::Timeout { .. }
            | Error::Truncated { .. }
            | Error::Limited { .. } => true,
            Error::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Error::SignedOut { .. }
            | Error::Stopped { .. }
            | Error::Unexpected { .. }
            | Error::File { .. } => false,
        }
    }

    /// The HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Refused { status, .. }
            | Error::Limited { status, .. }
            | Error::SignedOut { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What the service objects to, one by one.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Error::Refused { reasons, .. } => reasons,
            _ => &[],
        }
    }

    /// Whether the way out is to sign in again.
    #[must_use]
    pub fn is_signed_out(&self) -> bool {
        matches!(self, Error::SignedOut { .. })
    }

    /// How long the service asks to wait.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Error::Limited { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Whether what was asked for may have been done although no good answer came: the reply was
    /// lost, late, or not understood. Who repeats such a call looks first.
    #[must_use]
    pub fn leaves_open(&self) -> bool {
        match self {
            Error::Unreachable { .. }
            | Error::Timeout { .. }
            | Error::Truncated { .. }
            | Error::Stopped { .. }
            | Error::Unexpected { .. } => true,
            Error::Refused { status, .. } | Error::Limited { status, .. } => *status >= 500,
            Error::NoConnection { .. } | Error::SignedOut { .. } | Error::File { .. } => false,
        }
    }
}
