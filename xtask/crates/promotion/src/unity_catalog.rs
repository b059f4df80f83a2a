//! Models in Unity Catalog, by the routes that MLflow's clients use for them.

use std::collections::BTreeMap;

use xtask_remote::databricks::{model_versions, models, tag_limits};
use xtask_remote::{Error, Request, Response, Transport};

use crate::registry::{self, NewVersion, Registry, Version};

/// The registry of Unity Catalog.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnityCatalog;

const KIND: registry::RegistryKind = registry::RegistryKind::UnityCatalog;

impl Registry for UnityCatalog {
    fn version(
        &self,
        transport: &dyn Transport,
        model: &str,
        number: u64,
    ) -> Result<Option<Version>, Error> {
        registry::version(transport, KIND, model, number)
    }

    fn aliased(
        &self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<u64>, Error> {
        let found = models::aliased(transport, model, alias)?;
        Ok(found.map(|found| found.version))
    }

    fn versions(&self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
        registry::versions(transport, KIND, model)
    }

    fn create(&self, model: &str, new: &NewVersion<'_>) -> Request {
        let new = model_versions::New {
            source: &new.source,
            run_id: new.run_id,
            model_id: new.model_id,
            tags: new.tags,
            description: &new.description,
        };
        model_versions::create(KIND, model, &new)
    }

    fn created(&self, request: &Request, reply: &Response) -> Result<u64, Error> {
        model_versions::made(request, reply)
    }

    fn finalize(&self, model: &str, version: &str) -> Option<Request> {
        Some(models::finalize(model, version))
    }

    fn set_tag(&self, model: &str, version: &str, key: &str, value: &str) -> Request {
        model_versions::set_tag(KIND, model, version, key, value)
    }

    fn set_alias(&self, model: &str, alias: &str, version: &str) -> Request {
        model_versions::set_alias(KIND, model, alias, version)
    }

    fn refuses_tags(&self, tags: &BTreeMap<String, String>) -> Option<String> {
        tag_limits::refused(tags)
    }

    fn delete_alias(&self, model: &str, alias: &str, _version: &str) -> Request {
        model_versions::delete_alias(KIND, model, alias)
    }
}
