//! Calls as a plan shows them, before all they say is known.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xtask_remote::{Body, Request};

/// What stands in a planned call for the number of a version that is still to be made.
pub(crate) const VERSION: &str = "{version}";
/// What stands there for the destination's time at which its lock was taken.
pub(crate) const NOW: &str = "{now}";
/// What stands there for who holds the lock: user, machine, process.
pub(crate) const OWNER: &str = "{owner}";

/// A call that writes, for people and for plan files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path and query, escaped; `{version}` stands for a number that is not known yet.
    pub path: String,
    /// The JSON that is sent; null where none is, or a file's bytes.
    pub body: Value,
}

impl Call {
    pub(crate) fn of(request: &Request) -> Call {
        let call = request.call();
        let (method, path) = call.split_once(' ').unwrap_or_default();
        Call {
            method: method.to_owned(),
            path: path.to_owned(),
            body: match &request.body {
                Body::Json(value) => value.clone(),
                _ => Value::Null,
            },
        }
    }
}

/// What the words in braces stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) version: Option<u64>,
    pub(crate) now: String,
    pub(crate) owner: String,
}

impl Known {
    /// The call with everything in it that is known by now.
    pub(crate) fn fill(&self, request: &Request) -> Request {
        let mut filled = request.clone();
        filled.path = self.text(&filled.path);
        for (_, value) in &mut filled.query {
            *value = self.text(value);
        }
        if let Body::Json(value) = &mut filled.body {
            self.json(value);
        }
        filled
    }

    fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.json(field)),
            _ => {}
        }
    }

    fn text(&self, text: &str) -> String {
        let number = self.version.map(|number| number.to_string());
        let text = text.replace(VERSION, number.as_deref().unwrap_or(VERSION));
        text.replace(NOW, &self.now).replace(OWNER, &self.owner)
    }
}
