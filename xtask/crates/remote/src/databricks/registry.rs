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
