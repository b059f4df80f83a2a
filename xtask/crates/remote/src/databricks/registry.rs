//! The two model registries of a workspace: the same calls at two addresses.

use serde::Deserialize;

/// A model registry of a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryKind {
    /// Unity Catalog: models by `catalog.schema.name`, with aliases.
    #[default]
    UnityCatalog,
    /// The workspace's own: models by one name, with stages on Databricks.
    Workspace,
}

impl RegistryKind {
    /// The path of an MLflow call: `model-versions/get`.
    #[must_use]
    pub fn path(self, call: &str) -> String {
        match self {
            RegistryKind::UnityCatalog => format!("/api/2.0/mlflow/unity-catalog/{call}"),
            RegistryKind::Workspace => format!("/api/2.0/mlflow/{call}"),
        }
    }

    /// The address of a model's page, below the host.
    #[must_use]
    pub fn page(self, model: &str) -> String {
        match self {
            RegistryKind::UnityCatalog => {
                let parts: Vec<String> = model.split('.').map(super::segment).collect();
                format!("/explore/data/models/{}", parts.join("/"))
            }
            RegistryKind::Workspace => format!("/ml/models/{}", super::segment(model)),
        }
    }

    /// The address of a version's page, below the host.
    #[must_use]
    pub fn version_page(self, model: &str, version: u64) -> String {
        let word = match self {
            RegistryKind::UnityCatalog => "version",
            RegistryKind::Workspace => "versions",
        };
        format!("{}/{word}/{version}", self.page(model))
    }

    /// What the bundle calls its models: the kind of resource.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            RegistryKind::UnityCatalog => "registered_models",
            RegistryKind::Workspace => "models",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_that_the_cli_names() {
        let page = RegistryKind::UnityCatalog.page("main.fares.a-model");
        assert_eq!(page, "/explore/data/models/main/fares/a-model");
        let page = RegistryKind::Workspace.page("[dev ann] a-model");
        assert_eq!(page, "/ml/models/%5Bdev%20ann%5D%20a-model");
    }
}
