//! The two model registries of a workspace: the same calls at two addresses.

use serde::Deserialize;

/// A model registry of a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registry {
    /// Unity Catalog: models by `catalog.schema.name`, with aliases.
    #[default]
    UnityCatalog,
    /// The workspace's own: models by one name, with stages on Databricks.
    Workspace,
}

impl Registry {
    /// The path of an MLflow call: `model-versions/get`.
    #[must_use]
    pub fn path(self, call: &str) -> String {
        match self {
            Registry::UnityCatalog => format!("/api/2.0/mlflow/unity-catalog/{call}"),
            Registry::Workspace => format!("/api/2.0/mlflow/{call}"),
        }
    }

    /// The address of a model's page, below the host.
    #[must_use]
    pub fn page(self, model: &str) -> String {
        match self {
            Registry::UnityCatalog => {
                let parts: Vec<String> = model.split('.').map(super::segment).collect();
                format!("/explore/data/models/{}", parts.join("/"))
            }
            Registry::Workspace => format!("/ml/models/{}", super::segment(model)),
        }
    }

    /// The address of a version's page, below the host.
    #[must_use]
    pub fn version_page(self, model: &str, version: u64) -> String {
        let word = match self {
            Registry::UnityCatalog => "version",
            Registry::Workspace => "versions",
        };
        format!("{}/{word}/{version}", self.page(model))
    }

    /// What the bundle calls its models: the kind of resource.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Registry::UnityCatalog => "registered_models",
            Registry::Workspace => "models",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_that_the_cli_names() {
        let page = Registry::UnityCatalog.page("main.fares.a-model");
        assert_eq!(page, "/explore/data/models/main/fares/a-model");
        let page = Registry::Workspace.page("[dev ann] a-model");
        assert_eq!(page, "/ml/models/%5Bdev%20ann%5D%20a-model");
    }
}
