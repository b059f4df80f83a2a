//! What both registries of a workspace can do, each by calls of its own.

use super::models::{Aliased, Version};
use super::registry::Registry;
use super::{classic_models, models};
use crate::Error;
use crate::transport::Transport;

impl Registry {
    /// The version that an alias names, with its tags; `None` when the model has no such alias, or there is no such
    /// model.
    pub fn aliased(
        self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<Aliased>, Error> {
        match self {
            Registry::UnityCatalog => models::aliased(transport, model, alias),
            Registry::Workspace => classic_models::aliased(transport, model, alias),
        }
    }

    /// All versions of a model, in no particular order.
    pub fn versions(self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
        match self {
            Registry::UnityCatalog => models::versions(transport, model),
            Registry::Workspace => classic_models::versions(transport, model),
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
            Registry::UnityCatalog => models::delete_version(transport, model, version),
            Registry::Workspace => classic_models::delete_version(transport, model, version),
        }
    }
}
