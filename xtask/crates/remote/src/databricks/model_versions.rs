//! Versions of registered models, by the calls that both registries of a workspace take alike, each at an address of
//! its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::registry::RegistryKind;
use crate::Error;
use crate::mlflow::{KeyValue, number, number_or_zero};
use crate::transport::{Method, Request, Response, Transport, field, pages};

/// A version of a registered model.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelVersion {
    /// Its number; counted from 1 and never used twice.
    #[serde(deserialize_with = "counted")]
    pub version: u64,
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
    /// When it was registered, in milliseconds since 1970; 0 where that is not told.
    #[serde(
        default,
        rename = "creation_timestamp",
        deserialize_with = "number_or_zero"
    )]
    pub created: i64,
    #[serde(default)]
    pub tags: Vec<KeyValue>,
}

/// A version's number, which MLflow's own server writes as text.
fn counted<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let counted = number(&value).and_then(|number| u64::try_from(number).ok());
    counted.ok_or_else(|| serde::de::Error::custom("it names no version"))
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
) -> Result<ModelVersion, Error> {
    let request = Request::new(Method::Get, registry.path("model-versions/get"))
        .query("name", model)
        .query("version", number);
    field(transport, &request, "model_version")
}

/// All versions of a model, in no particular order. Unity Catalog tells none of their tags here.
///
/// # Errors
/// Any [`Error`]; not-found when there is no such model and the server says so.
pub fn known(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: &str,
) -> Result<Vec<ModelVersion>, Error> {
    // A filter knows no escapes, but both kinds of quotes.
    let quote = if model.contains('\'') { '"' } else { '\'' };
    let first = Request::new(Method::Get, registry.path("model-versions/search"))
        .query("filter", format!("name={quote}{model}{quote}"));
    pages(transport, &first, "model_versions")
}

/// The version that an alias names; `None` when the model has no such alias, or there is no such model.
pub(super) fn by_alias(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: &str,
    alias: &str,
) -> Result<Option<ModelVersion>, Error> {
    let request = Request::new(Method::Get, registry.path("registered-models/alias"))
        .query("name", model)
        .query("alias", alias);
    match field(transport, &request, "model_version") {
        // MLflow answers so, with a status of 400.
        Err(Error::Refused { message, .. })
            if message.contains(" alias ") && message.contains("not found") =>
        {
            Ok(None)
        }
        Err(error) if error.is_not_found() && !is_unknown_call(registry, &error) => Ok(None),
        found => found.map(Some),
    }
}

/// Whether a refusal says that the server has no such call, as a workspace's own registry may have no aliases.
pub(super) fn is_unknown_call(registry: RegistryKind, error: &Error) -> bool {
    registry == RegistryKind::Workspace
        && matches!(error, Error::Refused { code, message, .. }
            if code == "ENDPOINT_NOT_FOUND" || message.contains("No API found for"))
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
    let made: ModelVersion = reply.field(request, "model_version")?;
    Ok(made.version)
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
