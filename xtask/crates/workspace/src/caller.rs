//! The identity behind a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::store::{ADMINS, Principal, USERS};

/// How a request was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The workspace's own token.
    Owner,
    Browser,
    /// A personal access token or an OAuth token.
    Token,
    Run {
        job_run_id: i64,
    },
}

/// Set by the authentication layer; handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct Caller {
    pub who: Arc<Principal>,
    pub by: Credential,
}

impl Caller {
    /// E-mail address or application id, as jobs and permissions name an identity.
    pub fn name(&self) -> &str {
        &self.who.name
    }

    pub fn is_admin(&self) -> bool {
        self.is_in(ADMINS)
    }

    pub fn is_in(&self, group: &str) -> bool {
        group == USERS || self.who.groups.iter().any(|known| known == group)
    }

    /// Job runs and browser sessions may not create tokens, secrets, identities or sessions, which would outlive them.
    pub fn require_own_token(&self) -> Result<(), ApiError> {
        let by = match self.by {
            Credential::Run { .. } => "a job run's token",
            Credential::Browser => "a browser session",
            Credential::Owner | Credential::Token => return Ok(()),
        };
        Err(ApiError::forbidden(format!(
            "{by} cannot create tokens, secrets, identities or sessions"
        )))
    }

    pub fn require_admin(&self) -> Result<(), ApiError> {
        if self.is_admin() {
            return Ok(());
        }
        Err(ApiError::forbidden(format!(
            "{} is not an admin of this workspace.",
            self.name()
        )))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, ApiError> {
        // Public routes have no caller, and none of them asks for one.
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(ApiError::unauthenticated)
    }
}
