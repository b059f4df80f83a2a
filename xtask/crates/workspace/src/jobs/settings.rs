//! The settings of a job.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Declared, Task};

/// What the workspace reads in the settings of a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct JobSettings {
    pub name: String,
    pub description: Option<String>,
    pub tasks: Vec<Declared<Task>>,
    pub parameters: Vec<Parameter>,
    pub environments: Vec<Environment>,
    pub max_concurrent_runs: Option<i64>,
    pub queue: Queue,
    pub run_as: RunAs,
    pub schedule: Option<Value>,
    pub deployment: Deployment,
    timeout_seconds: u64,
}

impl JobSettings {
    /// How long a run may take.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        (self.timeout_seconds > 0).then(|| Duration::from_secs(self.timeout_seconds))
    }
}

/// A job parameter.
#[derive(Debug, Clone, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(default)]
    pub default: String,
}

/// Packages for the tasks that name the environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Environment {
    pub environment_key: String,
    pub spec: Packages,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Packages {
    /// Lines of a requirements file.
    pub dependencies: Vec<String>,
}

/// Whether runs wait while too many of the job are active.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Queue {
    pub enabled: bool,
}

/// The identity that the runs of a job act as.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RunAs {
    user_name: Option<String>,
    service_principal_name: Option<String>,
}

impl RunAs {
    pub(crate) fn name(&self) -> Option<&str> {
        let name = self.user_name.as_deref();
        name.or(self.service_principal_name.as_deref())
            .filter(|name| !name.is_empty())
    }
}

/// The bundle that deployed the job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Deployment {
    pub metadata_file_path: Option<String>,
}
