//! A registered model's versions: Unity Catalog cannot delete a model that has any.

use std::collections::BTreeMap;

use xtask_remote::Transport;
use xtask_remote::databricks::registry::RegistryKind;

/// The versions of a model, deleted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The model's `KIND.KEY` in the bundle.
    pub(super) key: String,
    registry: RegistryKind,
    model: String,
    /// Their numbers.
    pub(super) numbers: Vec<u64>,
}

impl Versions {
    /// The versions of the models among some resources, by `KIND.KEY`. Models without versions are left
    /// out.
    pub(super) fn of_models(
        transport: &dyn Transport,
        resources: &BTreeMap<String, String>,
    ) -> anyhow::Result<Vec<Versions>> {
        let mut found = Vec::new();
        for (key, model) in resources {
            let registry = match key.split('.').collect::<Vec<_>>().as_slice() {
                ["registered_models", _] => RegistryKind::UnityCatalog,
                ["models", _] => RegistryKind::Workspace,
                _ => continue,
            };
            let listed = match registry.versions(transport, model) {
                // Removed by hand: no versions left.
                Err(error) if error.is_not_found() => continue,
                other => other?,
            };
            if !listed.is_empty() {
                found.push(Versions {
                    key: key.clone(),
                    registry,
                    model: model.clone(),
                    numbers: listed.iter().map(|version| version.version).collect(),
                });
            }
        }
        Ok(found)
    }

    /// Deletes them.
    pub(super) fn delete(&self, transport: &dyn Transport) -> anyhow::Result<()> {
        for number in &self.numbers {
            self.registry
                .delete_version(transport, &self.model, *number)?;
        }
        Ok(())
    }
}
