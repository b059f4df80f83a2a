//! Refusals in GitHub's words; each API has a format for them.

use axum::http::StatusCode;

use crate::git::GitError;
use crate::store::StoreError;

/// An invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) resource: &'static str,
    pub(crate) field: Option<&'static str>,
    /// `missing_field`, `invalid`, `already_exists`, `unprocessable` or `custom`.
    pub(crate) code: &'static str,
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) problems: Vec<Problem>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            message: message.into(),
            problems: Vec::new(),
        }
    }

    /// 404: missing or hidden.
    pub(crate) fn not_found() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// The token, or its user, may not do this.
    pub(crate) fn not_accessible() -> Refusal {
        Refusal::forbidden("Resource not accessible by personal access token")
    }

    /// 422 "Validation Failed".
    pub(crate) fn invalid(problem: Problem) -> Refusal {
        Refusal {
            problems: vec![problem],
            ..Refusal::unprocessable("Validation Failed")
        }
    }

    /// 422 with a message for no particular field.
    pub(crate) fn custom(resource: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::told(resource, None, message)
    }

    pub(crate) fn told(
        resource: &'static str,
        field: Option<&'static str>,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal::invalid(Problem {
            resource,
            field,
            code: "custom",
            message: Some(message.into()),
        })
    }

    pub(crate) fn field(
        resource: &'static str,
        field: &'static str,
        code: &'static str,
    ) -> Refusal {
        Refusal::invalid(Problem {
            resource,
            field: Some(field),
            code,
            message: None,
        })
    }

    /// 500; the cause is logged.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Refusal {
        tracing::error!(%cause, "a request failed");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Server Error")
    }

    /// The most specific message, for GraphQL.
    pub(crate) fn sentence(&self) -> String {
        let own = self
            .problems
            .iter()
            .find_map(|problem| problem.message.clone());
        own.unwrap_or_else(|| self.message.clone())
    }

    pub(crate) fn graphql_type(&self) -> &'static str {
        match self.status.as_u16() {
            401 | 403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            500 => "INTERNAL",
            _ => "UNPROCESSABLE",
        }
    }
}

/// 404 for what is missing.
pub(crate) trait Found<T> {
    fn found(self) -> Result<T, Refusal>;
}

impl<T> Found<T> for Option<T> {
    fn found(self) -> Result<T, Refusal> {
        self.ok_or_else(Refusal::not_found)
    }
}

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Refusal {
        match error {
            GitError::RefName(_) | GitError::RefUpdate => Refusal::unprocessable(error.to_string()),
            GitError::Start(_) | GitError::Failed { .. } => Refusal::internal(&error),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::internal(&error)
    }
}
