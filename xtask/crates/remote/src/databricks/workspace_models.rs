//! Registered models of a workspace's own registry: versions, and which of them an alias names. Where the server
//! knows no aliases, as on Databricks, stages stand for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::model_versions::{self, Known, Reply};
use super::models::{Aliased, Version};
use super::registry::RegistryKind;
use crate::Error;
use crate::mlflow::number;
use crate::transport::{Method, Request, Transport, call};

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

fn at(route: &str) -> String {
    RegistryKind::Workspace.path(route)
}

/// Whether a refusal says that the server has no such call.
fn is_unknown_call(error: &Error) -> bool {
    matches!(error, Error::Refused { code, message, .. }
        if code == "ENDPOINT_NOT_FOUND" || message.contains("No API found for"))
}

/// Whether a refusal says that nothing has the alias; MLflow's own server answers 400 to that.
fn has_no_such_alias(error: &Error) -> bool {
    matches!(error, Error::Refused { message, .. }
        if message.contains(" alias ") && message.contains("not found"))
}

/// Whether the registry has aliases. Asked about a model, which need not have any.
pub fn has_aliases(transport: &dyn Transport, model: &str) -> Result<bool, Error> {
    match by_alias(transport, model, "champion") {
        Ok(_) => Ok(true),
        Err(error) if is_unknown_call(&error) => Ok(false),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(error),
    }
}

/// The version that an alias names, or that is in the stage which stands for it; `None` when there is none.
pub fn aliased(
    transport: &dyn Transport,
    model: &str,
    alias: &str,
) -> Result<Option<Aliased>, Error> {
    let found = match by_alias(transport, model, alias) {
        Err(error) if is_unknown_call(&error) => match stage_of(alias) {
            Some(stage) => in_stage(transport, model, stage)?,
            None => None,
        },
        found => found?,
    };
    Ok(found.and_then(Known::aliased))
}

fn by_alias(transport: &dyn Transport, model: &str, alias: &str) -> Result<Option<Known>, Error> {
    let request = Request::new(Method::Get, at("registered-models/alias"))
        .query("name", model)
        .query("alias", alias);
    match call::<Reply>(transport, &request) {
        Ok(reply) => Ok(Some(reply.model_version)),
        Err(error) if has_no_such_alias(&error) => Ok(None),
        Err(error) if error.is_not_found() && !is_unknown_call(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The newest version in a stage.
fn in_stage(transport: &dyn Transport, model: &str, stage: &str) -> Result<Option<Known>, Error> {
    #[derive(Deserialize)]
    struct Latest {
        #[serde(default)]
        model_versions: Vec<Known>,
    }
    let request = Request::new(Method::Post, at("registered-models/get-latest-versions"))
        .json(&json!({"name": model, "stages": [stage]}))
        .reads();
    match call::<Latest>(transport, &request) {
        Ok(found) => Ok(found.model_versions.into_iter().next()),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// All versions of a model, in no particular order, as far as both registries know them.
pub fn versions(transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
    let known = model_versions::known(transport, RegistryKind::Workspace, model)?.into_iter();
    Ok(known
        .filter_map(|version| {
            Some(Version {
                version: version.number()?,
                run_id: version.run_id,
                status: version.status,
            })
        })
        .collect())
}

/// Deletes a version for good.
pub fn delete_version(transport: &dyn Transport, model: &str, version: u64) -> Result<(), Error> {
    let body = json!({"name": model, "version": version.to_string()});
    let request = Request::new(Method::Delete, at("model-versions/delete")).json(&body);
    transport.send(&request).map(drop)
}

/// Where the files of a version lie: `mlflow-artifacts:/…`, `dbfs:/…`.
pub fn files_at(transport: &dyn Transport, model: &str, version: u64) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Place {
        artifact_uri: String,
    }
    let request = Request::new(Method::Get, at("model-versions/get-download-uri"))
        .query("name", model)
        .query("version", version);
    Ok(call::<Place>(transport, &request)?.artifact_uri)
}

/// The files of a version: paths relative to its folder, and lengths in bytes. Databricks' own call, which MLflow's
/// client makes as well.
pub fn files(
    transport: &dyn Transport,
    model: &str,
    version: u64,
) -> Result<BTreeMap<String, u64>, Error> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        files: Vec<File>,
        next_page_token: Option<String>,
    }
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
        let mut next = Some(first.clone());
        while let Some(request) = next.take() {
            let page: Page = call(transport, &request)?;
            for file in page.files {
                match file.is_dir {
                    true => folders.push(file.path),
                    false => {
                        let size = number(&file.file_size).unwrap_or_default();
                        files.insert(file.path, u64::try_from(size).unwrap_or_default());
                    }
                }
            }
            let token = page.next_page_token.filter(|token| !token.is_empty());
            next = token
                .map(|token| first.clone().query("page_token", token))
                .filter(|next| next.query != request.query);
        }
    }
    Ok(files)
}
