//! Models in a workspace's own registry, the older generation. A version there has no files of its own: it points to
//! those of a run of the same workspace, so a copy points to the same ones.

use serde_json::json;
use xtask_remote::databricks::model_versions;
use xtask_remote::databricks::workspace_models::{self, NO_STAGE, stage_of};
use xtask_remote::{Error, Method, Request, Response, Transport};

use crate::registry::{self, NewVersion, Registry, Version};

#[derive(Debug, Clone, Copy)]
pub struct WorkspaceRegistry {
    /// Whether stages stand for aliases, which the server does not know.
    stages: bool,
}

const KIND: registry::RegistryKind = registry::RegistryKind::Workspace;

impl WorkspaceRegistry {
    /// Asks the server whether it knows aliases.
    pub fn of(transport: &dyn Transport, model: &str) -> Result<WorkspaceRegistry, Error> {
        let stages = !workspace_models::has_aliases(transport, model)?;
        Ok(WorkspaceRegistry { stages })
    }

    fn transition(model: &str, version: &str, stage: &str) -> Request {
        // Whoever is in a stage that stands for an alias leaves it in the same call.
        let body = json!({"name": model, "version": version, "stage": stage,
            "archive_existing_versions": stage != NO_STAGE});
        // Not repeatable, like the calls for aliases.
        let path = KIND.path("model-versions/transition-stage");
        Request::new(Method::Post, path).json(&body)
    }
}

impl Registry for WorkspaceRegistry {
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
        let found = workspace_models::aliased(transport, model, alias)?;
        Ok(found.map(|found| found.version))
    }

    fn versions(&self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
        registry::versions(transport, KIND, model)
    }

    fn create(&self, model: &str, new: &NewVersion<'_>) -> Request {
        // MLflow 3 refuses the files of a logged model to a call that does not name it.
        let logged = new.files.strip_prefix("models:/");
        let new = model_versions::New {
            source: new.files,
            run_id: new.run_id,
            model_id: logged.filter(|id| id.starts_with("m-")),
            tags: new.tags,
            description: &new.description,
        };
        model_versions::create(KIND, model, &new)
    }

    fn created(&self, request: &Request, reply: &Response) -> Result<u64, Error> {
        model_versions::made(request, reply)
    }

    fn finalize(&self, _model: &str, _version: &str) -> Option<Request> {
        None
    }

    fn set_tag(&self, model: &str, version: &str, key: &str, value: &str) -> Request {
        model_versions::set_tag(KIND, model, version, key, value)
    }

    fn set_alias(&self, model: &str, alias: &str, version: &str) -> Request {
        match stage_of(alias) {
            Some(stage) if self.stages => WorkspaceRegistry::transition(model, version, stage),
            _ => model_versions::set_alias(KIND, model, alias, version),
        }
    }

    fn delete_alias(&self, model: &str, alias: &str, version: &str) -> Request {
        match self.stages {
            true => WorkspaceRegistry::transition(model, version, NO_STAGE),
            false => model_versions::delete_alias(KIND, model, alias),
        }
    }

    fn has_stages(&self) -> bool {
        self.stages
    }

    fn takes_files(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    fn sent(request: &Request) -> (String, Value) {
        let xtask_remote::Body::Json(body) = &request.body else {
            panic!("no JSON: {request:?}");
        };
        (request.call(), body.clone())
    }

    #[test]
    fn stages_stand_for_aliases_where_there_are_none() {
        let root = "/api/2.0/mlflow";
        let (with, without) = (
            WorkspaceRegistry { stages: false },
            WorkspaceRegistry { stages: true },
        );
        let (call, body) = sent(&with.set_alias("m", "champion", "3"));
        assert_eq!(call, format!("POST {root}/registered-models/alias"));
        assert_eq!(
            body,
            json!({"name": "m", "alias": "champion", "version": "3"})
        );
        let (call, body) = sent(&without.set_alias("m", "champion", "3"));
        assert_eq!(call, format!("POST {root}/model-versions/transition-stage"));
        let expected = json!({"name": "m", "version": "3", "stage": "Production",
            "archive_existing_versions": true});
        assert_eq!(body, expected);
        let (call, body) = sent(&with.delete_alias("m", "challenger", "3"));
        assert_eq!(call, format!("DELETE {root}/registered-models/alias"));
        assert_eq!(body, json!({"name": "m", "alias": "challenger"}));
        let (_, body) = sent(&without.delete_alias("m", "challenger", "3"));
        let expected = json!({"name": "m", "version": "3", "stage": "None",
            "archive_existing_versions": false});
        assert_eq!(body, expected);
    }

    #[test]
    fn a_copy_points_to_the_same_files() {
        let tags = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let new = NewVersion {
            source: "models:/x/1".to_owned(),
            files: "models:/m-1",
            run_id: Some("r"),
            model_id: None,
            tags: &tags,
            description: "Copy".to_owned(),
        };
        let (_, body) = sent(&WorkspaceRegistry { stages: true }.create("y", &new));
        let expected = json!({"name": "y", "source": "models:/m-1", "run_id": "r", "model_id": "m-1",
            "tags": [{"key": "a", "value": "b"}], "description": "Copy"});
        assert_eq!(body, expected);
    }
}
