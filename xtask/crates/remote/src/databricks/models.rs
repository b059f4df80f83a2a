//! Registered models in Unity Catalog: versions and aliases.

use std::time::Duration;

use serde::Deserialize;

use crate::Error;
use crate::databricks::segment;
use crate::mlflow::{KeyValue, number};
use crate::transport::{Method, Request, Transport, call};

/// A version of a registered model.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Its number; counted from 1 and never used twice.
    pub version: u64,
    /// The MLflow run that logged it.
    #[serde(default)]
    pub run_id: String,
    /// `PENDING_REGISTRATION`, `READY`, `FAILED_REGISTRATION`.
    #[serde(default)]
    pub status: String,
}

/// The full names of all registered models that one may see, asked for `within` that time: the first page of them.
pub fn names(transport: &dyn Transport, within: Duration) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        registered_models: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        full_name: String,
    }
    let request = Request::new(Method::Get, "/api/2.1/unity-catalog/models").within(within);
    let page: Page = call(transport, &request)?;
    let models = page.registered_models.into_iter();
    Ok(models.map(|model| model.full_name).collect())
}

/// All versions of a model, in no particular order.
pub fn versions(transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        model_versions: Vec<Version>,
        next_page_token: Option<String>,
    }
    let path = format!("/api/2.1/unity-catalog/models/{}/versions", segment(model));
    let first = Request::new(Method::Get, path);
    let (mut versions, mut request) = (Vec::new(), first.clone());
    loop {
        let page: Page = call(transport, &request)?;
        versions.extend(page.model_versions);
        // An empty page may still be followed by another: only the token says when it ends.
        let Some(token) = page.next_page_token.filter(|token| !token.is_empty()) else {
            return Ok(versions);
        };
        let next = first.clone().query("page_token", &token);
        if next.query == request.query {
            return Ok(versions);
        }
        request = next;
    }
}

/// Deletes a version for good.
pub fn delete_version(transport: &dyn Transport, model: &str, version: u64) -> Result<(), Error> {
    let path = format!(
        "/api/2.1/unity-catalog/models/{}/versions/{version}",
        segment(model)
    );
    transport
        .send(&Request::new(Method::Delete, path))
        .map(drop)
}

/// Says that all files of a version have come.
#[must_use]
pub fn finalize(model: &str, version: &str) -> Request {
    let path = "/api/2.0/mlflow/unity-catalog/model-versions/finalize";
    Request::new(Method::Post, path)
        .json(&serde_json::json!({"name": model, "version": version}))
        .repeatable()
}

/// A version that an alias names, with what is written on it.
#[derive(Debug, Clone)]
pub struct Aliased {
    /// Its number.
    pub version: u64,
    /// The MLflow run that logged it.
    pub run_id: String,
    /// When it was registered, in milliseconds since 1970; 0 where that is not told.
    pub created: i64,
    pub tags: Vec<KeyValue>,
}

/// The version that an alias names, with its tags, in one call; `None` when the model has no such
/// alias, or there is no such model.
pub fn aliased(
    transport: &dyn Transport,
    model: &str,
    alias: &str,
) -> Result<Option<Aliased>, Error> {
    #[derive(Deserialize)]
    struct Reply {
        model_version: Found,
    }
    #[derive(Deserialize)]
    struct Found {
        // MLflow's own server writes it as a text, as it is one in its protocol.
        version: serde_json::Value,
        #[serde(default)]
        run_id: String,
        #[serde(default)]
        creation_timestamp: serde_json::Value,
        #[serde(default)]
        tags: Vec<KeyValue>,
    }
    let path = "/api/2.0/mlflow/unity-catalog/registered-models/alias";
    let request = Request::new(Method::Get, path)
        .query("name", model)
        .query("alias", alias);
    let found = match call::<Reply>(transport, &request) {
        // MLflow answers so, with a status of 400.
        Err(Error::Refused { message, .. })
            if message.contains(" alias ") && message.contains("not found") =>
        {
            return Ok(None);
        }
        Err(error) if error.is_not_found() => return Ok(None),
        reply => reply?.model_version,
    };
    let version = number(&found.version).and_then(|number| u64::try_from(number).ok());
    Ok(version.map(|version| Aliased {
        version,
        run_id: found.run_id,
        created: number(&found.creation_timestamp).unwrap_or_default(),
        tags: found.tags,
    }))
}
