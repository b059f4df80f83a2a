//! What both registries of a workspace can do, each by calls of its own.

use super::model_versions::{self, ModelVersion};
use super::registry::RegistryKind;
use super::{models, workspace_models};
use crate::Error;
use crate::transport::Transport;

impl RegistryKind {
    /// The version that an alias names, with its tags; `None` when the model has no such alias, or there is no such
    /// model.
    pub fn aliased(
        self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<ModelVersion>, Error> {
        match self {
            RegistryKind::UnityCatalog => model_versions::by_alias(transport, self, model, alias),
            RegistryKind::Workspace => workspace_models::aliased(transport, model, alias),
        }
    }

    /// All versions of a model, in no particular order.
    pub fn versions(
        self,
        transport: &dyn Transport,
        model: &str,
    ) -> Result<Vec<ModelVersion>, Error> {
        match self {
            RegistryKind::UnityCatalog => models::versions(transport, model),
            RegistryKind::Workspace => model_versions::known(transport, self, model),
        }
    }

    /// Deletes a version for good.
    pub fn delete_version(
        self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
    ) -> Result<(), Error> {
        match self {
            RegistryKind::UnityCatalog => models::delete_version(transport, model, version),
            RegistryKind::Workspace => workspace_models::delete_version(transport, model, version),
        }
    }
}
