//! Registered models of a workspace's own registry: versions, and which of them an alias names. Where the server
//! knows no aliases, as on Databricks, stages stand for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::model_versions::{ModelVersion, by_alias, is_unknown_call};
use super::registry::RegistryKind;
use crate::Error;
use crate::mlflow::number;
use crate::transport::{Method, Request, Transport, field, list, pages};

/// Out of all stages.
pub const NO_STAGE: &str = "None";

/// The stage that stands for an alias, where there are no aliases.
#[must_use]
pub fn stage_of(alias: &str) -> Option<&'static str> {
    match alias {
        "champion" => Some("Production"),
        "challenger" => Some("Staging"),
        _ => None,
    }
}

const KIND: RegistryKind = RegistryKind::Workspace;

fn at(route: &str) -> String {
    KIND.path(route)
}

/// Whether the registry has aliases. Asked about a model, which need not have any.
pub fn has_aliases(transport: &dyn Transport, model: &str) -> Result<bool, Error> {
    match by_alias(transport, KIND, model, "champion") {
        Ok(_) => Ok(true),
        Err(error) if is_unknown_call(KIND, &error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The version that an alias names, or that is in the stage which stands for it; `None` when there is none.
pub fn aliased(
    transport: &dyn Transport,
    model: &str,
    alias: &str,
) -> Result<Option<ModelVersion>, Error> {
    match by_alias(transport, KIND, model, alias) {
        Err(error) if is_unknown_call(KIND, &error) => match stage_of(alias) {
            Some(stage) => in_stage(transport, model, stage),
            None => Ok(None),
        },
        found => found,
    }
}

/// The newest version in a stage.
fn in_stage(
    transport: &dyn Transport,
    model: &str,
    stage: &str,
) -> Result<Option<ModelVersion>, Error> {
    let request = Request::new(Method::Post, at("registered-models/get-latest-versions"))
        .json(&json!({"name": model, "stages": [stage]}))
        .reads();
    match list(transport, &request, "model_versions") {
        Ok(found) => Ok(found.into_iter().next()),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deletes a version for good.
pub fn delete_version(transport: &dyn Transport, model: &str, version: u64) -> Result<(), Error> {
    let body = json!({"name": model, "version": version.to_string()});
    let request = Request::new(Method::Delete, at("model-versions/delete")).json(&body);
    transport.send(&request).map(drop)
}

/// Where the files of a version lie: `mlflow-artifacts:/…`, `dbfs:/…`.
pub fn files_at(transport: &dyn Transport, model: &str, version: u64) -> Result<String, Error> {
    let request = Request::new(Method::Get, at("model-versions/get-download-uri"))
        .query("name", model)
        .query("version", version);
    field(transport, &request, "artifact_uri")
}

/// The files of a version: paths relative to its folder, and lengths in bytes. Databricks' own call, which MLflow's
/// client makes as well.
pub fn files(
    transport: &dyn Transport,
    model: &str,
    version: u64,
) -> Result<BTreeMap<String, u64>, Error> {
    #[derive(Deserialize)]
    struct File {
        path: String,
        #[serde(default)]
        is_dir: bool,
        #[serde(default)]
        file_size: Value,
    }
    let (mut files, mut folders) = (BTreeMap::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        let first = Request::new(Method::Get, at("model-versions/list-artifacts"))
            .query("name", model)
            .query("version", version)
            .query("path", &folder);
        for file in pages::<File>(transport, &first, "files")? {
            match file.is_dir {
                true => folders.push(file.path),
                false => {
                    let size = number(&file.file_size).unwrap_or_default();
                    files.insert(file.path, u64::try_from(size).unwrap_or_default());
                }
            }
        }
    }
    Ok(files)
}
