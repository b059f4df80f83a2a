//! Accounts, tokens and sessions.

use serde::{Deserialize, Serialize};

use super::Id;
use crate::clock::Time;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) login: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) kind: UserKind,
    pub(crate) created_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum UserKind {
    User,
    Bot,
    Organization,
}

/// A personal access token, stored as SHA-256.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) user: Id,
    pub(crate) fingerprint: String,
    pub(crate) access: Access,
    /// `X-OAuth-Scopes`.
    pub(crate) scopes: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    Read,
    Write,
}

/// A browser session, with the SHA-256 of its cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user: Id,
    pub(crate) fingerprint: String,
    pub(crate) ends: Time,
}
