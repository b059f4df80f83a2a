//! Registered models in Unity Catalog: versions and aliases.

use serde::Deserialize;

use crate::Error;
use crate::databricks::segment;
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

/// All versions of a model, in no particular order.
///
/// # Errors
/// Any [`Error`].
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

/// The version that an alias names; `None` when the model or the alias does not exist.
///
/// # Errors
/// Any [`Error`] but not-found.
pub fn by_alias(
    transport: &dyn Transport,
    model: &str,
    alias: &str,
) -> Result<Option<Version>, Error> {
    let path = format!(
        "/api/2.1/unity-catalog/models/{}/aliases/{}",
        segment(model),
        segment(alias)
    );
    match call(transport, &Request::new(Method::Get, path)) {
        Ok(version) => Ok(Some(version)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deletes a version for good.
///
/// # Errors
/// Any [`Error`].
pub fn delete_version(transport: &dyn Transport, model: &str, version: u64) -> Result<(), Error> {
    let path = format!(
        "/api/2.1/unity-catalog/models/{}/versions/{version}",
        segment(model)
    );
    transport
        .send(&Request::new(Method::Delete, path))
        .map(drop)
}
