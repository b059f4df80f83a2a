//! Who is there.

use serde::{Deserialize, Serialize};

use super::{Id, Row};
use crate::clock::Time;

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) login: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) kind: UserKind,
    pub(crate) created_at: Time,
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum UserKind {
    User,
    Bot,
    Organization,
}

/// A personal access token, kept as its SHA-256.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) user: Id,
    pub(crate) fingerprint: String,
    pub(crate) access: Access,
    /// What `X-OAuth-Scopes` says.
    pub(crate) scopes: String,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    Read,
    Write,
}

/// A browser that signed in, kept as the SHA-256 of its cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user: Id,
    pub(crate) fingerprint: String,
    pub(crate) ends: Time,
}

impl Row for User {
    const KIND: &'static str = "user";
}
impl Row for Token {
    const KIND: &'static str = "token";
}
impl Row for Session {
    const KIND: &'static str = "session";
}
