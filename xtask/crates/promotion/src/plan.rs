//! What a promotion will do: what was found, from which its steps follow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xtask_remote::Request;
use xtask_remote::records::VersionRecord;

use crate::calls::Call;
use crate::event::{Event, State};
use crate::registry::Version;
use crate::tags::ARTIFACT_DIGEST;

pub use crate::survey::Found;

/// The version of the form in which plans are written to files.
pub(crate) const FORM: u32 = 1;

/// What one wants.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// The version of the source; by default its champion, or its challenger where both ends are one.
    pub version: Option<u64>,
    /// Who asks, as the destination's workspace knows them.
    pub by: &'a str,
    /// The pull request that brought the commit, for the record.
    pub pull: Option<u64>,
    /// The calls that mend the links of the destination's model; none where they are right.
    pub links: Vec<Request>,
    /// The job that trains, by its key in the bundle.
    pub train: &'a str,
}

/// Where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub target: String,
    /// The address of its workspace.
    pub host: String,
    pub model: String,
    /// The version.
    pub number: u64,
    /// The alias that it was chosen by; null where it was named by its number.
    pub alias: Option<String>,
    /// The MLflow run that logged it; may be empty.
    pub run_id: String,
    pub tags: BTreeMap<String, String>,
    /// Its files: relative paths, and lengths in bytes.
    pub files: BTreeMap<String, u64>,
    /// Where they are, as its registry says; may be empty.
    #[serde(default)]
    pub place: String,
    /// The logged model that it was made from; may be empty.
    #[serde(default)]
    pub model_id: String,
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub target: String,
    /// The address of its workspace.
    pub host: String,
    pub model: String,
}

/// A promotion before it is done. Plain data: it can be written to a file, read elsewhere, and applied there as long
/// as both ends are still as it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of this form; 1.
    pub version: u32,
    /// The promotion's id: 32 hex digits. One that was interrupted keeps its id.
    pub id: String,
    /// Whether a challenger becomes champion where it is.
    pub within: bool,
    /// The version.
    pub from: Source,
    /// The destination.
    pub to: End,
    /// What the destination has.
    pub found: Found,
    /// What will be remembered of it.
    pub event: Event,
    /// The calls that mend the links of the destination's model.
    pub links: Vec<Call>,
    /// Whether all this is done but one thing: the lock that was taken for it still stands.
    #[serde(default)]
    pub left_locked: bool,
}

impl Source {
    /// What is written on it, understood.
    pub(crate) fn record(&self) -> VersionRecord {
        let version = Version {
            number: self.number,
            status: String::new(),
            run_id: String::new(),
            tags: self.tags.clone(),
            source: String::new(),
            model_id: String::new(),
        };
        VersionRecord::read(&self.model, self.number, &version.pairs())
    }
}

impl Plan {
    /// `<model>/<version>` of the source.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}/{}", self.from.model, self.from.number)
    }

    /// The digest of the files, as validation wrote it down.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.from
            .tags
            .get(ARTIFACT_DIGEST)
            .map_or("", String::as_str)
    }

    /// The source's record.
    #[must_use]
    pub fn record(&self) -> VersionRecord {
        self.from.record()
    }

    /// Whether the version is champion already.
    #[must_use]
    pub fn is_champion(&self) -> bool {
        let copy = self.found.copy.as_ref();
        copy.is_some_and(|copy| self.found.champion == Some(copy.number))
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_copied = self.found.copy.as_ref().is_some_and(|copy| copy.ready);
        is_copied
            && self.is_champion()
            && self.is_settled()
            && self.links.is_empty()
            && !self.left_locked
    }

    /// Whether a champion's promotion has nothing left to tidy up.
    pub(crate) fn is_settled(&self) -> bool {
        let copy = self.found.copy.as_ref();
        let event = copy.and_then(|copy| copy.event());
        let is_challenger = copy.is_some_and(|copy| self.found.challenger == Some(copy.number));
        event.is_none_or(|event| event.state != State::Begun) && !is_challenger
    }

    /// One line for the lock, and for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Plan { from, to, .. } = self;
        match self.within {
            true => format!("make version {} of {} champion", from.number, from.model),
            false => format!(
                "promote version {} of {} to {}",
                from.number, from.model, to.target
            ),
        }
    }
}
