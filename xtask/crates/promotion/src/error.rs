//! Why a promotion did not go on.

use std::io;

/// What stops a promotion.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that was looked at forbids it.
    #[error("{0}")]
    Refused(Refusal),
    /// A service failed.
    #[error(transparent)]
    Remote(#[from] xtask_remote::Error),
    /// A local file failed.
    #[error("{path}: {source}")]
    Local {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The caller said stop.
    #[error("stopped")]
    Interrupted,
}

/// Why nothing was done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, one sentence without a period.
    pub why: String,
    /// More of it: the two values that differ, what a program said.
    pub details: String,
    /// What one can do.
    pub next: Vec<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl Refusal {
    /// A refusal with its reason.
    pub fn new(why: impl Into<String>) -> Refusal {
        Refusal {
            why: why.into(),
            details: String::new(),
            next: Vec::new(),
        }
    }

    /// Adds what it rests on.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Refusal {
        self.details = details.into();
        self
    }

    /// Adds what one can do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Refusal {
        self.next.push(next.into());
        self
    }

    /// The same as the error of a `Result`.
    pub fn err<T>(self) -> Result<T, Error> {
        Err(Error::Refused(self))
    }
}

impl Error {
    /// A failed local file.
    pub fn local(path: &std::path::Path, source: io::Error) -> Error {
        Error::Local {
            path: path.display().to_string(),
            source,
        }
    }
}
