//! A model registry, of Unity Catalog or a workspace's own: what it is asked and told.

use std::collections::BTreeMap;

use serde_json::json;
use xtask_remote::databricks::model_versions::{self, ModelVersion};
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::databricks::workspace_models::{self, NO_STAGE, stage_of};
use xtask_remote::databricks::{models, tag_limits};
use xtask_remote::mlflow::KeyValue;
use xtask_remote::{Error, Method, Request, Transport};

/// A version of a registered model, with what is written on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub number: u64,
    /// `PENDING_REGISTRATION`, `READY`, `FAILED_REGISTRATION`.
    pub status: String,
    /// The MLflow run that logged it; empty where it has none.
    pub run_id: String,
    pub tags: BTreeMap<String, String>,
    /// Where its files came from, as its registry says; empty where that says nothing.
    pub source: String,
    /// The logged model that it was made from; empty where its registry names none.
    pub model_id: String,
}

impl Version {
    /// Whether its files are all there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status == "READY"
    }

    /// Whether its registration has failed for good.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.status.starts_with("FAILED")
    }

    /// `<model>/<version>` that it is a copy of; `None` where it is none.
    #[must_use]
    pub fn copied_from(&self) -> Option<&String> {
        self.tags.get(crate::tags::PROMOTION_SOURCE)
    }

    /// Its tags as the readers of records take them.
    #[must_use]
    pub fn pairs(&self) -> Vec<KeyValue> {
        let pairs = self.tags.iter();
        pairs
            .map(|(key, value)| KeyValue {
                key: key.clone(),
                value: value.clone(),
            })
            .collect()
    }
}

/// A version that is to be made.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    /// Where it comes from: `models:/<model>/<version>`.
    pub source: String,
    /// Where the files of that one are, as its registry says: for a registry that takes none.
    pub files: &'a str,
    /// The MLflow run that logged it, where the destination knows that run.
    pub run_id: Option<&'a str>,
    /// The logged model that it was made from, where the destination knows that.
    pub model_id: Option<&'a str>,
    /// What is written on it from the first moment.
    pub tags: &'a BTreeMap<String, String>,
    /// For people.
    pub description: String,
}

/// A model registry. What reads calls it; what writes is a request, so that a plan can show it.
/// `version` is a number, or the word that stands for one which is not known yet.
#[derive(Debug, Clone, Copy)]
pub struct Registry {
    kind: RegistryKind,
    /// Whether stages stand for aliases: a workspace's own registry need not know aliases.
    stages: bool,
}

impl Registry {
    /// The registry of Unity Catalog.
    pub const UNITY_CATALOG: Registry = Registry {
        kind: RegistryKind::UnityCatalog,
        stages: false,
    };

    /// The registry of a kind; a workspace's own is asked whether it knows aliases.
    pub fn of(
        transport: &dyn Transport,
        kind: RegistryKind,
        model: &str,
    ) -> Result<Registry, Error> {
        let stages =
            kind == RegistryKind::Workspace && !workspace_models::has_aliases(transport, model)?;
        Ok(Registry { kind, stages })
    }

    /// A version; `None` where there is none of this number.
    pub fn version(
        self,
        transport: &dyn Transport,
        model: &str,
        number: u64,
    ) -> Result<Option<Version>, Error> {
        match model_versions::version(transport, self.kind, model, number) {
            Ok(known) => Ok(Some(known.into())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The number of the version that an alias names.
    pub fn aliased(
        self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<u64>, Error> {
        let found = self.kind.aliased(transport, model, alias)?;
        Ok(found.map(|found| found.version))
    }

    /// All versions with their tags, in the order of their numbers. A search need not tell tags, and Unity Catalog's
    /// does not: those versions are asked for one by one.
    pub fn versions(self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
        let known = model_versions::known(transport, self.kind, model)?.into_iter();
        let mut found: BTreeMap<u64, Version> =
            known.map(|known| (known.version, known.into())).collect();
        for seen in found.values_mut().filter(|seen| seen.tags.is_empty()) {
            if let Some(whole) = self.version(transport, model, seen.number)? {
                *seen = whole;
            }
        }
        Ok(found.into_values().collect())
    }

    /// Makes a version whose files are still to come. In a workspace's own registry it points to the source's files.
    pub(crate) fn create(self, model: &str, new: &NewVersion<'_>) -> Request {
        let (source, model_id) = match self.takes_files() {
            true => (new.source.as_str(), new.model_id),
            // MLflow 3 refuses the files of a logged model to a call that does not name it.
            false => {
                let logged = new.files.strip_prefix("models:/");
                (new.files, logged.filter(|id| id.starts_with("m-")))
            }
        };
        let new = model_versions::New {
            source,
            run_id: new.run_id,
            model_id,
            tags: new.tags,
            description: &new.description,
        };
        model_versions::create(self.kind, model, &new)
    }

    /// Says that all files have come; `None` where the registry needs no such call.
    pub(crate) fn finalize(self, model: &str, version: &str) -> Option<Request> {
        self.takes_files().then(|| models::finalize(model, version))
    }

    /// Writes a tag on a version.
    pub(crate) fn set_tag(self, model: &str, version: &str, key: &str, value: &str) -> Request {
        model_versions::set_tag(self.kind, model, version, key, value)
    }

    /// Has an alias name a version.
    pub(crate) fn set_alias(self, model: &str, alias: &str, version: &str) -> Request {
        match stage_of(alias).filter(|_| self.stages) {
            Some(stage) => self.transition(model, version, stage),
            None => model_versions::set_alias(self.kind, model, alias, version),
        }
    }

    /// Removes an alias from the version that has it.
    pub(crate) fn delete_alias(self, model: &str, alias: &str, version: &str) -> Request {
        match self.stages {
            true => self.transition(model, version, NO_STAGE),
            false => model_versions::delete_alias(self.kind, model, alias),
        }
    }

    fn transition(self, model: &str, version: &str, stage: &str) -> Request {
        // The version in a stage that stands for an alias leaves it in the same call.
        let body = json!({"name": model, "version": version, "stage": stage,
            "archive_existing_versions": stage != NO_STAGE});
        // Not repeatable, like the calls for aliases.
        let path = self.kind.path("model-versions/transition-stage");
        Request::new(Method::Post, path).json(&body)
    }

    /// Whether a version that becomes champion is no challenger any more by that alone: a registry of stages, of
    /// which a version has one.
    pub(crate) fn has_stages(self) -> bool {
        self.stages
    }

    /// Why a version cannot have these tags, in words that follow "its tags"; `None` where it can.
    pub(crate) fn refuses_tags(self, tags: &BTreeMap<String, String>) -> Option<String> {
        tag_limits::refused(tags).filter(|_| self.kind == RegistryKind::UnityCatalog)
    }

    /// Whether a version's files are sent to it. If not, a version points to files of its workspace, and a copy to the
    /// same ones.
    pub(crate) fn takes_files(self) -> bool {
        self.kind == RegistryKind::UnityCatalog
    }
}

impl From<ModelVersion> for Version {
    fn from(known: ModelVersion) -> Version {
        let tags = known.tags.into_iter();
        Version {
            number: known.version,
            tags: tags.map(|KeyValue { key, value }| (key, value)).collect(),
            status: known.status,
            run_id: known.run_id,
            source: known.source,
            model_id: known.model_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn registry(stages: bool) -> Registry {
        let kind = RegistryKind::Workspace;
        Registry { kind, stages }
    }

    fn sent(request: &Request) -> (String, Value) {
        let xtask_remote::Body::Json(body) = &request.body else {
            panic!("no JSON: {request:?}");
        };
        (request.call(), body.clone())
    }

    #[test]
    fn stages_stand_for_aliases_where_there_are_none() {
        let root = "/api/2.0/mlflow";
        let (with, without) = (registry(false), registry(true));
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
        let (_, body) = sent(&registry(true).create("y", &new));
        let expected = json!({"name": "y", "source": "models:/m-1", "run_id": "r", "model_id": "m-1",
            "tags": [{"key": "a", "value": "b"}], "description": "Copy"});
        assert_eq!(body, expected);
    }
}
