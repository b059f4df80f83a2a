//! What a bundle's deployment left in its workspace: the files that the Databricks CLI keeps in
//! `workspace.state_path`, whoever deployed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::transport::{Method, Request, Transport, call};

/// The code that was deployed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Source {
    /// The commit; empty where the CLI knew none.
    #[serde(default)]
    pub commit: String,
    /// The branch; empty on a detached head.
    #[serde(default)]
    pub branch: String,
    /// The remote's address; empty without one.
    #[serde(default)]
    pub origin_url: String,
}

/// The deployment as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Deployment {
    /// When it ended, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// How often it was deployed.
    #[serde(default)]
    pub seq: u64,
    /// The version of the CLI.
    #[serde(default)]
    pub cli_version: String,
}

/// The ids of the deployed resources, by `kind.key`: `jobs.train`, `registered_models.fares`, ….
pub type Resources = BTreeMap<String, String>;

/// Which code is deployed; `None` where nothing is.
///
/// # Errors
/// Any [`Error`].
pub fn source(transport: &dyn Transport, state_path: &str) -> Result<Option<Source>, Error> {
    #[derive(Default, Deserialize)]
    struct Metadata {
        #[serde(default)]
        config: Config,
    }
    #[derive(Default, Deserialize)]
    struct Config {
        #[serde(default)]
        bundle: Bundle,
    }
    #[derive(Default, Deserialize)]
    struct Bundle {
        #[serde(default)]
        git: Source,
    }
    let metadata: Option<Metadata> = read(transport, state_path, "metadata.json")?;
    Ok(metadata.map(|metadata| metadata.config.bundle.git))
}

/// When it was deployed; `None` where nothing is.
///
/// # Errors
/// Any [`Error`].
pub fn deployment(
    transport: &dyn Transport,
    state_path: &str,
) -> Result<Option<Deployment>, Error> {
    read(transport, state_path, "deployment.json")
}

/// What is deployed; `None` where nothing is, or where Terraform keeps the state.
///
/// # Errors
/// Any [`Error`].
pub fn resources(transport: &dyn Transport, state_path: &str) -> Result<Option<Resources>, Error> {
    #[derive(Deserialize)]
    struct State {
        #[serde(default)]
        state: BTreeMap<String, Resource>,
    }
    #[derive(Deserialize)]
    struct Resource {
        #[serde(rename = "__id__", default)]
        id: String,
    }
    let state: Option<State> = read(transport, state_path, "resources.json")?;
    Ok(state.map(|state| {
        let entries = state.state.into_iter();
        entries
            .filter_map(|(key, resource)| {
                Some((key.strip_prefix("resources.")?.to_owned(), resource.id))
            })
            .collect()
    }))
}

fn read<T: DeserializeOwned>(
    transport: &dyn Transport,
    state_path: &str,
    file: &str,
) -> Result<Option<T>, Error> {
    let request = Request::new(Method::Get, "/api/2.0/workspace/export")
        .query("path", format!("{state_path}/{file}"))
        .query("direct_download", true);
    match call(transport, &request) {
        Err(error) if error.is_not_found() => Ok(None),
        other => other.map(Some),
    }
}
