//! Why a call failed, with enough to tell the reader what to do.

use std::time::Duration;

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or it broke before the reply was complete.
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
    #[error("{call}: {status} {code}: {message}")]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: u16,
        /// The service's own code, such as `RESOURCE_DOES_NOT_EXIST`; empty where it has none.
        code: String,
        /// The service's explanation, or the start of the body.
        message: String,
    },
    /// A reply that is not what the interface promises: a proxy's login page, a truncated body.
    #[error("{call}: the reply is not understood ({reason})")]
    Unexpected {
        /// Method and path.
        call: String,
        /// What is wrong with it, with the start of the body.
        reason: String,
    },
    /// A local file that was to be sent cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
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
            Error::Unreachable { .. } | Error::Timeout { .. } => true,
            Error::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Error::Unexpected { .. } | Error::File { .. } => false,
        }
    }
}
