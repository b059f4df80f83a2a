//! What a model registry is asked, whichever generation it is of.

use std::collections::BTreeMap;

use xtask_remote::databricks::model_versions::{self, Known};
use xtask_remote::mlflow::KeyValue;
use xtask_remote::{Error, Request, Response, Transport};

/// Which of a workspace's two registries calls go to.
pub(crate) use xtask_remote::databricks::registry::RegistryKind;

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
pub trait Registry: Send + Sync {
    /// A version; `None` where there is none of this number.
    fn version(
        &self,
        transport: &dyn Transport,
        model: &str,
        number: u64,
    ) -> Result<Option<Version>, Error>;

    /// The number of the version that an alias names.
    fn aliased(
        &self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<u64>, Error>;

    /// All versions with their tags, in the order of their numbers.
    fn versions(&self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error>;

    /// Makes a version whose files are still to come.
    fn create(&self, model: &str, new: &NewVersion<'_>) -> Request;

    /// The number of the version that [`Registry::create`]'s reply speaks of.
    fn created(&self, request: &Request, reply: &Response) -> Result<u64, Error>;

    /// Says that all files have come; `None` where the registry needs no such call.
    fn finalize(&self, model: &str, version: &str) -> Option<Request>;

    /// Writes a tag on a version.
    fn set_tag(&self, model: &str, version: &str, key: &str, value: &str) -> Request;

    /// Has an alias name a version.
    fn set_alias(&self, model: &str, alias: &str, version: &str) -> Request;

    /// Removes an alias from the version that has it.
    fn delete_alias(&self, model: &str, alias: &str, version: &str) -> Request;

    /// Whether a version that becomes champion is no challenger any more by that alone: a registry of stages, of
    /// which a version has one.
    fn has_stages(&self) -> bool {
        false
    }

    /// Why a version cannot have these tags, in words that follow "its tags"; `None` where it can.
    fn refuses_tags(&self, _tags: &BTreeMap<String, String>) -> Option<String> {
        None
    }

    /// Whether a version's files are sent to it. If not, a version points to files of its workspace, and a copy to the
    /// same ones.
    fn takes_files(&self) -> bool {
        true
    }
}

/// A version as a registry tells it; `None` for one without a number.
fn told(known: Known) -> Option<Version> {
    let number = known.number()?;
    let tags = known.tags.into_iter();
    Some(Version {
        number,
        tags: tags.map(|KeyValue { key, value }| (key, value)).collect(),
        status: known.status,
        run_id: known.run_id,
        source: known.source,
        model_id: known.model_id,
    })
}

/// [`Registry::version`], for a registry of this kind.
pub(crate) fn version(
    transport: &dyn Transport,
    kind: RegistryKind,
    model: &str,
    number: u64,
) -> Result<Option<Version>, Error> {
    match model_versions::version(transport, kind, model, number) {
        Ok(known) => Ok(told(known)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// [`Registry::versions`], for a registry of this kind. A search need not tell tags, and Unity Catalog's does not:
/// those versions are asked for one by one.
pub(crate) fn versions(
    transport: &dyn Transport,
    kind: RegistryKind,
    model: &str,
) -> Result<Vec<Version>, Error> {
    let known = model_versions::known(transport, kind, model)?.into_iter();
    let mut found: BTreeMap<u64, Version> = known
        .filter_map(told)
        .map(|version| (version.number, version))
        .collect();
    for seen in found.values_mut().filter(|seen| seen.tags.is_empty()) {
        if let Some(whole) = version(transport, kind, model, seen.number)? {
            *seen = whole;
        }
    }
    Ok(found.into_values().collect())
}
