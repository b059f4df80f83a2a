//! The CLI's summary of a bundle and its resources.

use std::collections::BTreeMap;

use serde::Deserialize;
use xtask_remote::databricks::bundle_state;
use xtask_remote::databricks::registry::RegistryKind;

use super::{SUMMARY, Target};
use crate::config::Config;

/// The output of `databricks bundle summary`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Summary {
    pub(crate) workspace: WorkspaceSummary,
    /// The resources by kind.
    #[serde(default)]
    pub(crate) resources: Resources,
}

/// The workspace of a target.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WorkspaceSummary {
    /// The folder of the deployment state.
    #[serde(default)]
    pub(crate) state_path: String,
    /// The folder of the deployed files.
    #[serde(default)]
    pub(crate) file_path: String,
    #[serde(default)]
    current_user: Option<CurrentUser>,
}

impl WorkspaceSummary {
    /// The signed-in user; empty if unknown.
    pub(crate) fn user(&self) -> &str {
        self.current_user.as_ref().map_or("", |user| &user.name)
    }
}

/// The signed-in user.
#[derive(Debug, Clone, Deserialize)]
struct CurrentUser {
    #[serde(rename = "userName", default)]
    name: String,
}

/// The resources of a bundle, by kind and key.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Resources {
    #[serde(default)]
    pub(crate) jobs: BTreeMap<String, Resource>,
    #[serde(default)]
    pub(crate) experiments: BTreeMap<String, Resource>,
    /// Registered models of Unity Catalog.
    #[serde(default)]
    pub(crate) registered_models: BTreeMap<String, Resource>,
    /// Models of the workspace's own registry.
    #[serde(default)]
    pub(crate) models: BTreeMap<String, Resource>,
    #[serde(default)]
    pub(crate) volumes: BTreeMap<String, Resource>,
    /// All other kinds.
    #[serde(flatten)]
    others: BTreeMap<String, BTreeMap<String, Other>>,
}

/// A resource of another kind.
#[derive(Debug, Clone, Deserialize)]
struct Other {
    #[serde(default)]
    id: Option<String>,
}

impl Target<'_> {
    /// The deployed resources from the deployment state in the workspace: ids, without the bundle's names
    /// and pages. Runs no code of the checkout.
    pub(crate) fn deployed(&self) -> anyhow::Result<Summary> {
        let mut summary = self.outlined_summary(SUMMARY)?;
        let transport = self.transport();
        let state_path = &summary.workspace.state_path;
        let Some(ids) = bundle_state::resources(&*transport, state_path)? else {
            return match bundle_state::deployment(&*transport, state_path)? {
                None => Ok(summary),
                Some(_) => self.summary(),
            };
        };
        summary.resources = Resources::of_ids(ids);
        Ok(summary)
    }
}

impl Resources {
    fn of_ids(ids: bundle_state::Resources) -> Resources {
        let mut found = Resources::default();
        for (key, id) in ids {
            // Longer keys are permissions and grants.
            let [kind, name] = key.split('.').collect::<Vec<_>>()[..] else {
                continue;
            };
            let of_kind = match kind {
                "jobs" => &mut found.jobs,
                "experiments" => &mut found.experiments,
                "registered_models" => &mut found.registered_models,
                "models" => &mut found.models,
                "volumes" => &mut found.volumes,
                _ => continue,
            };
            of_kind.insert(name.to_owned(), Resource::of_id(id));
        }
        found
    }

    /// The models of a registry.
    pub(crate) fn models_of(&self, registry: RegistryKind) -> &BTreeMap<String, Resource> {
        match registry {
            RegistryKind::UnityCatalog => &self.registered_models,
            RegistryKind::Workspace => &self.models,
        }
    }

    /// The ids of all deployed resources, by `KIND.KEY`.
    pub(super) fn ids(&self) -> BTreeMap<String, String> {
        let known = [
            ("jobs", &self.jobs),
            ("experiments", &self.experiments),
            ("registered_models", &self.registered_models),
            ("models", &self.models),
            ("volumes", &self.volumes),
        ];
        let known = known.into_iter().flat_map(|(kind, resources)| {
            let ids = resources.iter().map(|(key, resource)| (key, &resource.id));
            ids.map(move |(key, id)| (format!("{kind}.{key}"), id.clone()))
        });
        let others = self.others.iter().flat_map(|(kind, resources)| {
            let ids = resources.iter().map(|(key, resource)| (key, &resource.id));
            ids.map(move |(key, id)| (format!("{kind}.{key}"), id.clone()))
        });
        known
            .chain(others)
            .filter_map(|(key, id)| Some((key, id?)))
            .collect()
    }

    /// The folder of the data volume of xtask.toml, once deployed.
    pub(crate) fn data_folder(&self, config: &Config) -> Option<String> {
        let volume = self.volumes.get(&config.data.volume)?.id.as_ref()?;
        Some(format!("/Volumes/{}", volume.replace('.', "/")))
    }

    /// The model of xtask.toml.
    pub(crate) fn model(&self, config: &Config) -> Option<&Resource> {
        self.models_of(config.model.registry)
            .get(&config.model.resource)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Resource {
    /// Its id in the workspace, once deployed; for Unity Catalog its full name.
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) name: String,
    /// Its page, once deployed.
    pub(crate) url: Option<String>,
    /// The tasks of a job.
    #[serde(default)]
    tasks: Vec<TaskKey>,
}

#[derive(Debug, Clone, Deserialize)]
struct TaskKey {
    task_key: String,
}

impl Resource {
    fn of_id(id: String) -> Resource {
        Resource {
            id: Some(id),
            name: String::new(),
            url: None,
            tasks: Vec::new(),
        }
    }

    /// Keys of a job's tasks.
    pub(crate) fn task_keys(&self) -> Vec<String> {
        self.tasks
            .iter()
            .map(|task| task.task_key.clone())
            .collect()
    }
}
