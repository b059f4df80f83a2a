//! What a bundle's deployment left in its workspace: the files that the Databricks CLI keeps in
//! `workspace.state_path`, for every user who deploys.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    /// What was deployed beside the commit, such as `1 edited file`; empty where that is nothing or not known. The
    /// CLI does not write it down: it is in the state of jobs, [`State::edits`].
    #[serde(skip)]
    pub edits: String,
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
    #[serde(default)]
    pub cli_version: String,
}

/// The ids of the deployed resources, by `kind.key`: `jobs.train`, `registered_models.fares`, ….
pub type Resources = BTreeMap<String, String>;

/// Which code is deployed; `None` where nothing is.
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
pub fn deployment(
    transport: &dyn Transport,
    state_path: &str,
) -> Result<Option<Deployment>, Error> {
    read(transport, state_path, "deployment.json")
}

/// What is deployed, as the CLI has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The ids of the resources.
    pub resources: Resources,
    /// What was deployed beside the commit: the value of the job parameter `git_edits`. Empty where no job has one.
    pub edits: String,
}

/// The resources that are deployed; `None` where nothing is, or where Terraform keeps the state.
pub fn resources(transport: &dyn Transport, state_path: &str) -> Result<Option<Resources>, Error> {
    Ok(state(transport, state_path)?.map(|state| state.resources))
}

/// What is deployed; `None` where nothing is, or where Terraform keeps the state.
pub fn state(transport: &dyn Transport, state_path: &str) -> Result<Option<State>, Error> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        state: BTreeMap<String, Resource>,
    }
    #[derive(Deserialize)]
    struct Resource {
        #[serde(rename = "__id__", default)]
        id: String,
        #[serde(default)]
        state: Value,
    }
    let file: Option<File> = read(transport, state_path, "resources.json")?;
    Ok(file.map(|file| {
        let mut state = State::default();
        for (key, resource) in file.state {
            let Some(key) = key.strip_prefix("resources.") else {
                continue;
            };
            if let Some(edits) = edits(&resource.state) {
                edits.clone_into(&mut state.edits);
            }
            state.resources.insert(key.to_owned(), resource.id);
        }
        state
    }))
}

/// The job parameter that says what was deployed beside the commit.
fn edits(job: &Value) -> Option<&str> {
    let parameters = job["parameters"].as_array()?;
    let named = parameters.iter().find(|one| one["name"] == "git_edits")?;
    named["default"].as_str()
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
