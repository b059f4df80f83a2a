//! The requests that came by.

use std::sync::{Mutex, PoisonError};

use ring::digest::{Context, SHA256};
use serde_json::Value;

/// The longest body that is kept.
pub(super) const KEPT: usize = 64 * 1024;

/// A request that came by.
#[derive(Debug, Clone)]
pub struct Passed {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path with its query, as the client wrote it.
    pub path: String,
    /// The headers: names in lower case. Of credentials, only that there were some: `…`.
    pub headers: Vec<(String, String)>,
    pub body: Content,
    /// The status of the server's answer, or of the one that the client got in its place; `None` where
    /// there was none.
    pub status: Option<u16>,
    /// Whether the client got the whole answer, as far as can be told here.
    pub answered: bool,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// None, or it has not come yet.
    Empty,
    Json(Value),
    /// Other text.
    Text(String),
    /// What is long, or no text.
    Bytes {
        length: u64,
        /// Its SHA-256, in hexadecimal digits.
        sha256: String,
    },
}

impl Passed {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Which program asked: its `User-Agent`, or nothing.
    #[must_use]
    pub fn client(&self) -> &str {
        self.header("user-agent").unwrap_or_default()
    }

    /// Whether the Databricks CLI asked.
    #[must_use]
    pub fn is_of_the_cli(&self) -> bool {
        self.client().contains("databricks-cli/") || self.client().starts_with("cli/")
    }

    /// `METHOD PATH?QUERY`.
    #[must_use]
    pub fn call(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// All requests, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How many were forgotten.
    before: usize,
    asked: Vec<Passed>,
}

impl Record {
    /// Keeps a request; answers with its number.
    pub(super) fn add(&self, asked: Passed) -> usize {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked.push(asked);
        kept.before + kept.asked.len() - 1
    }

    /// Changes what is known about a request, unless it is forgotten.
    pub(super) fn change(&self, number: usize, change: impl FnOnce(&mut Passed)) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = number.checked_sub(kept.before);
        if let Some(asked) = place.and_then(|place| kept.asked.get_mut(place)) {
            change(asked);
        }
    }

    pub(super) fn all(&self) -> Vec<Passed> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked.clone()
    }

    pub(super) fn clear(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.before += kept.asked.len();
        kept.asked.clear();
    }
}

/// A body while it comes by.
pub(super) struct Seen {
    start: Vec<u8>,
    length: u64,
    hasher: Context,
}

impl Seen {
    pub(super) fn new() -> Seen {
        Seen {
            start: Vec::new(),
            length: 0,
            hasher: Context::new(&SHA256),
        }
    }

    pub(super) fn more(&mut self, bytes: &[u8]) {
        let room = KEPT - self.start.len();
        self.start.extend(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// What came.
    pub(super) fn content(&self) -> Content {
        let whole = self.length == self.start.len() as u64;
        match str::from_utf8(&self.start) {
            Ok("") => Content::Empty,
            Ok(text) if whole => match serde_json::from_str(text) {
                Ok(value) => Content::Json(value),
                Err(_) => Content::Text(text.to_owned()),
            },
            _ => Content::Bytes {
                length: self.length,
                sha256: hexadecimal(self.hasher.clone().finish().as_ref()),
            },
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
