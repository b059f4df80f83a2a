//! What happened to a version: one tag for each promotion, on the version itself, so that any machine can tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::tags::shortened;

/// The tags' common start; eight digits of the promotion's id follow.
const PREFIX: &str = "mlops_event_";

/// How far a promotion has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Under way, or interrupted before the version became champion.
    Begun,
    /// The version became champion.
    Live,
    /// Something forbade it: the smoke prediction, a champion that moved.
    Refused,
    /// It is being taken back.
    Undoing,
    /// It was taken back.
    Undone,
}

/// A promotion, as the version that it is about remembers it. Names are short because a tag holds 1000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counted from 1 in each model of each target: the order in which they began.
    pub n: u64,
    /// The promotion's id.
    pub id: String,
    /// How far it has come.
    pub state: State,
    /// When it began, RFC 3339, by the destination's clock.
    pub at: String,
    pub by: String,
    /// `<target> <model>/<version>` it came from; the version itself where a challenger became champion.
    pub from: String,
    /// The commit that trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The pull request that brought that commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<u64>,
    /// The champion that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<u64>,
    /// The challenger that has to wait meanwhile, and is one again afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<u64>,
    /// Who took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
    /// When, RFC 3339, by the destination's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<String>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Event {
    /// The key of its tag.
    pub(crate) fn key(&self) -> String {
        format!("{PREFIX}{}", self.id.get(..8).unwrap_or(&self.id))
    }

    /// The value of its tag.
    pub(crate) fn value(&self) -> String {
        let mut short = self.clone();
        short.by = shortened(&self.by, 120);
        short.from = shortened(&self.from, 320);
        short.why = self.why.as_deref().map(|why| shortened(why, 160));
        short.undone_by = self.undone_by.as_deref().map(|by| shortened(by, 120));
        serde_json::to_string(&short).unwrap_or_default()
    }

    /// The events in a version's tags, in the order in which they began. What is not understood is left out: it
    /// may be from a later version of this tool.
    pub(crate) fn all(tags: &BTreeMap<String, String>) -> Vec<Event> {
        let ours = tags.iter().filter(|(key, _)| key.starts_with(PREFIX));
        let mut events: Vec<Event> = ours
            .filter_map(|(_, value)| xtask_remote::json::from_str(value).ok())
            .collect();
        events.sort_by_key(|event| event.n);
        events
    }
}
