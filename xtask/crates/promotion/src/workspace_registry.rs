//! Models in a workspace's own registry, the older generation. A version there has no files of its own: it points to
//! those of a run of the same workspace, so a copy points to the same ones.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use xtask_remote::databricks::classic_models::{self, Known, NO_STAGE, stage_of};
use xtask_remote::databricks::registry;
use xtask_remote::mlflow::KeyValue;
use xtask_remote::{Error, Method, Request, Response, Transport};

use crate::registry::{NewVersion, Registry, Version};

/// The registry of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct WorkspaceRegistry {
    /// Whether stages stand for aliases, which the server does not know.
    stages: bool,
}

fn at(route: &str) -> String {
    registry::Registry::Workspace.path(route)
}

impl WorkspaceRegistry {
    /// Asks the server whether it knows aliases.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn of(transport: &dyn Transport, model: &str) -> Result<WorkspaceRegistry, Error> {
        let stages = !classic_models::has_aliases(transport, model)?;
        Ok(WorkspaceRegistry { stages })
    }

    fn transition(model: &str, version: &str, stage: &str) -> Request {
        // Whoever is in a stage that stands for an alias leaves it in the same call.
        let body = json!({"name": model, "version": version, "stage": stage,
            "archive_existing_versions": stage != NO_STAGE});
        Request::new(Method::Post, at("model-versions/transition-stage")).json(&body)
    }
}

fn version(known: Known) -> Option<Version> {
    let number = known.number()?;
    let tags = known.tags.into_iter();
    Some(Version {
        number,
        tags: tags.map(|KeyValue { key, value }| (key, value)).collect(),
        status: known.status,
        run_id: known.run_id,
        source: known.source,
    })
}

impl Registry for WorkspaceRegistry {
    fn version(
        &self,
        transport: &dyn Transport,
        model: &str,
        number: u64,
    ) -> Result<Option<Version>, Error> {
        match classic_models::version(transport, model, number) {
            Ok(known) => Ok(version(known)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn aliased(
        &self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<u64>, Error> {
        let found = classic_models::aliased(transport, model, alias)?;
        Ok(found.map(|found| found.version))
    }

    fn versions(&self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
        let known = classic_models::known(transport, model)?.into_iter();
        let mut found: BTreeMap<u64, Version> = known
            .filter_map(version)
            .map(|version| (version.number, version))
            .collect();
        // A search need not tell tags: those versions are asked for one by one.
        for version in found.values_mut().filter(|version| version.tags.is_empty()) {
            if let Some(whole) = self.version(transport, model, version.number)? {
                *version = whole;
            }
        }
        Ok(found.into_values().collect())
    }

    fn create(&self, model: &str, new: &NewVersion<'_>) -> Request {
        let tags = new.tags.iter();
        let tags: Vec<Value> = tags
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        let mut body = json!({"name": model, "source": new.files, "tags": tags,
            "description": new.description});
        if let Some(run_id) = new.run_id {
            body["run_id"] = Value::from(run_id);
        }
        // MLflow 3 refuses the files of a logged model to whoever does not name it.
        if let Some(model_id) = new.files.strip_prefix("models:/m-") {
            body["model_id"] = Value::from(format!("m-{model_id}"));
        }
        Request::new(Method::Post, at("model-versions/create")).json(&body)
    }

    fn created(&self, request: &Request, reply: &Response) -> Result<u64, Error> {
        #[derive(Deserialize)]
        struct Created {
            model_version: Known,
        }
        let created: Created = reply.json(request)?;
        created
            .model_version
            .number()
            .ok_or_else(|| Error::Unexpected {
                call: request.call(),
                reason: "it names no version".to_owned(),
            })
    }

    fn finalize(&self, _model: &str, _version: &str) -> Option<Request> {
        None
    }

    fn set_tag(&self, model: &str, version: &str, key: &str, value: &str) -> Request {
        let body = json!({"name": model, "version": version, "key": key, "value": value});
        let request = Request::new(Method::Post, at("model-versions/set-tag"));
        request.json(&body).repeatable()
    }

    // Neither is repeatable: a repetition after somebody else's change would undo that.
    fn set_alias(&self, model: &str, alias: &str, version: &str) -> Request {
        match stage_of(alias) {
            Some(stage) if self.stages => WorkspaceRegistry::transition(model, version, stage),
            _ => Request::new(Method::Post, at("registered-models/alias"))
                .json(&json!({"name": model, "alias": alias, "version": version})),
        }
    }

    fn delete_alias(&self, model: &str, alias: &str, version: &str) -> Request {
        match self.stages {
            true => WorkspaceRegistry::transition(model, version, NO_STAGE),
            false => Request::new(Method::Delete, at("registered-models/alias"))
                .json(&json!({"name": model, "alias": alias})),
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
            tags: &tags,
            description: "Copy".to_owned(),
        };
        let (_, body) = sent(&WorkspaceRegistry { stages: true }.create("y", &new));
        let expected = json!({"name": "y", "source": "models:/m-1", "run_id": "r", "model_id": "m-1",
            "tags": [{"key": "a", "value": "b"}], "description": "Copy"});
        assert_eq!(body, expected);
    }
}
