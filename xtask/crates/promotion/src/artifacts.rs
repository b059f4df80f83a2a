//! The files of a version that points to those of a run: they lie among MLflow's artifacts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use xtask_remote::databricks::workspace_models;
use xtask_remote::{Method, Request, Transport, mlflow};

use crate::error::{Error, Refusal};
use crate::files::{Carrier, OnBytes, fetch_all};

/// Where a server of MLflow keeps artifacts, as it says itself.
const ROOT: &str = "mlflow-artifacts:/";
/// The same, as the local workspace says it to Databricks' clients.
const DATABRICKS_ROOT: &str = "dbfs:/databricks/mlflow-tracking/";

/// By the artifact routes of an MLflow server.
#[derive(Debug, Clone, Copy, Default)]
pub struct OverArtifacts;

/// Where a version's files lie below the root of all artifacts.
fn folder_of(transport: &dyn Transport, model: &str, version: u64) -> Result<String, Error> {
    let place = workspace_models::files_at(transport, model, version)?;
    match below_root(&place) {
        Some(below) => Ok(below),
        None => Refusal::new(format!(
            "the files of version {version} of {model} lie at {place}, which is not read from here"
        ))
        .err(),
    }
}

/// A place below the root of all artifacts, in MLflow's own form; `None` for another kind of place. A logged model is at
/// `EXPERIMENT/models/ID`, which Databricks calls `EXPERIMENT/logged_models/ID`.
fn below_root(place: &str) -> Option<String> {
    if let Some(below) = place.strip_prefix(ROOT) {
        return Some(below.trim_matches('/').to_owned());
    }
    let below = place.strip_prefix(DATABRICKS_ROOT)?.trim_matches('/');
    Some(match below.split_once("/logged_models/") {
        Some((experiment, rest)) if !experiment.contains('/') => {
            format!("{experiment}/models/{rest}")
        }
        _ => below.to_owned(),
    })
}

/// The files below a folder: paths relative to it, and lengths.
fn listed(transport: &dyn Transport, folder: &str) -> Result<BTreeMap<String, u64>, Error> {
    #[derive(Deserialize)]
    struct Listing {
        #[serde(default)]
        files: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        path: String,
        #[serde(default)]
        is_dir: bool,
        #[serde(default)]
        file_size: serde_json::Value,
    }
    let (mut files, mut folders) = (BTreeMap::new(), vec![String::new()]);
    while let Some(prefix) = folders.pop() {
        let place = format!("{folder}/{prefix}");
        let request = Request::new(Method::Get, "/api/2.0/mlflow-artifacts/artifacts")
            .query("path", place.trim_end_matches('/'));
        let listing: Listing = transport.send(&request)?.json(&request)?;
        for entry in listing.files {
            let name = format!("{prefix}{}", entry.path);
            match entry.is_dir {
                true => folders.push(format!("{name}/")),
                false => {
                    let size = &entry.file_size;
                    let size = size.as_u64().or_else(|| size.as_str()?.parse().ok());
                    files.insert(name, size.unwrap_or_default());
                }
            }
        }
    }
    Ok(files)
}

impl Carrier for OverArtifacts {
    fn list(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
    ) -> Result<BTreeMap<String, u64>, Error> {
        listed(transport, &folder_of(transport, model, version)?)
    }

    fn fetch(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
        folder: &Path,
        on_bytes: OnBytes<'_>,
    ) -> Result<(), Error> {
        let place = folder_of(transport, model, version)?;
        let listed = listed(transport, &place)?;
        let call = |name: &str| mlflow::artifact(&format!("{place}/{name}"));
        let what = format!("version {version} of {model}");
        fetch_all(transport, &what, &listed, &call, folder, on_bytes)
    }

    /// None: a copy points to the files that are there.
    fn uploads(
        &self,
        _model: &str,
        _version: &str,
        _folder: &Path,
        _names: &[&str],
    ) -> Vec<Request> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_place_lead_to_the_same_files() {
        for (place, below) in [
            (
                "mlflow-artifacts:/7/ab/artifacts/model",
                Some("7/ab/artifacts/model"),
            ),
            (
                "mlflow-artifacts:/7/models/m-1/artifacts",
                Some("7/models/m-1/artifacts"),
            ),
            (
                "dbfs:/databricks/mlflow-tracking/7/logged_models/m-1/artifacts",
                Some("7/models/m-1/artifacts"),
            ),
            (
                "dbfs:/databricks/mlflow-tracking/7/ab/artifacts/logged_models/x",
                Some("7/ab/artifacts/logged_models/x"),
            ),
            ("dbfs:/databricks/mlflow-registry/1/models/model", None),
            ("s3://bucket/7", None),
        ] {
            assert_eq!(below_root(place).as_deref(), below, "{place}");
        }
    }
}
