//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::store::{ADMINS, Principal, PrincipalKind, USERS};

/// What a request was admitted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The workspace's own token.
    Owner,
    /// The cookie of a browser that signed in.
    Browser,
    /// A token of an identity: a personal one, or one of OAuth.
    Token,
    /// The token of a job run.
    Run {
        /// The run whose token it is.
        job_run_id: i64,
    },
}

/// Who asks. The layer in front of all routes puts it into the request; handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As whom.
    pub who: Arc<Principal>,
    /// By what.
    pub by: Credential,
}

impl Caller {
    /// E-mail address or application id, as jobs and permissions name an identity.
    pub fn name(&self) -> &str {
        &self.who.name
    }

    /// Whether nothing is refused to this identity.
    pub fn is_admin(&self) -> bool {
        self.is_in(ADMINS)
    }

    /// Whether the identity is in a group.
    pub fn is_in(&self, group: &str) -> bool {
        group == USERS || self.who.groups.iter().any(|known| known == group)
    }

    /// The entry that makes this identity the owner of something.
    pub fn as_owner(&self) -> serde_json::Value {
        let field = match self.who.kind {
            PrincipalKind::User => "user_name",
            PrincipalKind::ServicePrincipal => "service_principal_name",
        };
        serde_json::json!({field: self.name(), "permission_level": "IS_OWNER"})
    }

    /// Refuses what makes no tokens, secrets, identities or sessions: a job run and a browser's session. What they leave
    /// behind would outlive them.
    pub fn require_own_token(&self) -> Result<(), ApiError> {
        let by = match self.by {
            Credential::Run { .. } => "the token of a job run",
            Credential::Browser => "the session of a browser",
            Credential::Owner | Credential::Token => return Ok(()),
        };
        Err(ApiError::forbidden(format!(
            "{by} makes no tokens, secrets, identities or sessions"
        )))
    }

    /// Refuses whoever is no admin.
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
        // Only a route that needs no token has no caller, and none of those asks for one.
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(ApiError::unauthenticated)
    }
}
