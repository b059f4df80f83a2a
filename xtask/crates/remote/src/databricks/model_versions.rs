//! Versions of registered models, by the calls that both registries of a workspace take alike, each at an address of
//! its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::models::Aliased;
use super::registry::RegistryKind;
use crate::Error;
use crate::mlflow::{KeyValue, number};
use crate::transport::{Method, Request, Response, Transport, call};

/// A version, with all that is known of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Known {
    version: Value,
    /// `PENDING_REGISTRATION`, `READY`, `FAILED_REGISTRATION`.
    #[serde(default)]
    pub status: String,
    /// The MLflow run that logged it; empty without one.
    #[serde(default)]
    pub run_id: String,
    /// Where its files came from, as it was said when it was made.
    #[serde(default)]
    pub source: String,
    /// The logged model that it was made from; empty without one.
    #[serde(default)]
    pub model_id: String,
    #[serde(default)]
    creation_timestamp: Value,
    #[serde(default)]
    pub tags: Vec<KeyValue>,
}

impl Known {
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        number(&self.version).and_then(|number| u64::try_from(number).ok())
    }

    pub(super) fn aliased(self) -> Option<Aliased> {
        Some(Aliased {
            version: self.number()?,
            created: number(&self.creation_timestamp).unwrap_or_default(),
            run_id: self.run_id,
            tags: self.tags,
        })
    }
}

/// What names one version.
#[derive(Deserialize)]
pub(super) struct Reply {
    pub(super) model_version: Known,
}

/// A version that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// Where its files come from.
    pub source: &'a str,
    /// The MLflow run that logged it, where the registry knows that run.
    pub run_id: Option<&'a str>,
    /// The logged model that its files are of.
    pub model_id: Option<&'a str>,
    /// What is written on it from the first moment.
    pub tags: &'a BTreeMap<String, String>,
    /// For people.
    pub description: &'a str,
}

/// A version.
///
/// # Errors
/// Any [`Error`]; not-found when there is none of this number.
pub fn version(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: &str,
    number: u64,
) -> Result<Known, Error> {
    let request = Request::new(Method::Get, registry.path("model-versions/get"))
        .query("name", model)
        .query("version", number);
    Ok(call::<Reply>(transport, &request)?.model_version)
}

/// All versions of a model, in no particular order. Unity Catalog tells none of their tags here.
///
/// # Errors
/// Any [`Error`]; not-found when there is no such model and the server says so.
pub fn known(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: &str,
) -> Result<Vec<Known>, Error> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        model_versions: Vec<Known>,
        next_page_token: Option<String>,
    }
    // A filter knows no escapes, but both kinds of quotes.
    let quote = if model.contains('\'') { '"' } else { '\'' };
    let first = Request::new(Method::Get, registry.path("model-versions/search"))
        .query("filter", format!("name={quote}{model}{quote}"));
    let (mut versions, mut request) = (Vec::new(), first.clone());
    loop {
        let page: Page = call(transport, &request)?;
        versions.extend(page.model_versions);
        // An empty page may still be followed by another: only the token says when it ends.
        let token = page.next_page_token.filter(|token| !token.is_empty());
        let next = token.map(|token| first.clone().query("page_token", token));
        match next {
            Some(next) if next.query != request.query => request = next,
            _ => return Ok(versions),
        }
    }
}

/// Makes a version. Sent twice it makes two.
#[must_use]
pub fn create(registry: RegistryKind, model: &str, new: &New<'_>) -> Request {
    let tags = new.tags.iter();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let mut body = json!({"name": model, "source": new.source, "tags": tags,
        "description": new.description});
    for (field, value) in [("run_id", new.run_id), ("model_id", new.model_id)] {
        if let Some(value) = value {
            body[field] = Value::from(value);
        }
    }
    Request::new(Method::Post, registry.path("model-versions/create")).json(&body)
}

/// The number of the version that the reply to [`create`] speaks of.
///
/// # Errors
/// [`Error::Unexpected`] for a reply of another form.
pub fn made(request: &Request, reply: &Response) -> Result<u64, Error> {
    let made: Reply = reply.json(request)?;
    made.model_version
        .number()
        .ok_or_else(|| Error::Unexpected {
            call: request.call(),
            reason: "it names no version".to_owned(),
        })
}

/// Writes a tag on a version. `version` may be a word that stands for a number.
#[must_use]
pub fn set_tag(
    registry: RegistryKind,
    model: &str,
    version: &str,
    key: &str,
    value: &str,
) -> Request {
    let body = json!({"name": model, "version": version, "key": key, "value": value});
    let request = Request::new(Method::Post, registry.path("model-versions/set-tag"));
    request.json(&body).repeatable()
}

/// Has an alias name a version. Not repeatable: a repetition after another change would undo that.
#[must_use]
pub fn set_alias(registry: RegistryKind, model: &str, alias: &str, version: &str) -> Request {
    let body = json!({"name": model, "alias": alias, "version": version});
    Request::new(Method::Post, registry.path("registered-models/alias")).json(&body)
}

/// Removes an alias.
#[must_use]
pub fn delete_alias(registry: RegistryKind, model: &str, alias: &str) -> Request {
    let body = json!({"name": model, "alias": alias});
    Request::new(Method::Delete, registry.path("registered-models/alias")).json(&body)
}
