//! What a destination has, before anything is done to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::{Event, State};
use crate::open_end::OpenEnd;
use crate::registry::Version;
use crate::tags::{ARTIFACT_DIGEST, PROMOTION_SOURCE};

/// The alias of the version that inference uses.
pub(crate) const CHAMPION: &str = "champion";
/// The alias of the version that is next.
pub(crate) const CHALLENGER: &str = "challenger";

/// What a destination has. A plan holds for exactly this: before it is applied, the destination is looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The version that inference uses.
    pub champion: Option<u64>,
    /// The version that is next.
    pub challenger: Option<u64>,
    /// The version that is to become champion, where the destination has it.
    pub copy: Option<Copy>,
    /// Further copies of the same source, which an earlier tool or a lost reply left; they do no harm.
    pub others: Vec<u64>,
    /// The number of the newest event.
    pub last_event: u64,
    /// The challenger that waits for an interrupted promotion of another version.
    pub waits: Option<u64>,
}

/// A version that is there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub number: u64,
    /// Whether its files are all there.
    pub ready: bool,
    pub tags: BTreeMap<String, String>,
    /// Of one that is not ready: the files that have come, with their lengths in bytes.
    pub uploaded: BTreeMap<String, u64>,
}

impl Copy {
    /// The newest event on it.
    pub(crate) fn event(&self) -> Option<Event> {
        Event::all(&self.tags).pop()
    }
}

/// Which version of a destination is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// A copy of `<model>/<version>` with these files.
    CopyOf {
        source: &'a str,
        digest: &'a str,
    },
    Number(u64),
}

impl Wanted<'_> {
    fn is(self, version: &Version) -> bool {
        let tag = |key: &str| version.tags.get(key).map(String::as_str);
        match self {
            Wanted::Number(number) => version.number == number,
            Wanted::CopyOf { source, digest } => {
                !version.has_failed()
                    && tag(PROMOTION_SOURCE) == Some(source)
                    && tag(ARTIFACT_DIGEST) == Some(digest)
            }
        }
    }
}

/// Looks at a destination.
pub(crate) fn look(end: &OpenEnd<'_>, wanted: Wanted<'_>) -> Result<Found, Error> {
    let aliased = |alias| end.registry.aliased(end.transport, end.model, alias);
    let (champion, challenger) = (aliased(CHAMPION)?, aliased(CHALLENGER)?);
    let versions = end.registry.versions(end.transport, end.model)?;
    let mut wanted: Vec<&Version> = versions.iter().filter(|v| wanted.is(v)).collect();
    // The lowest that is ready, so that each look finds the same one.
    wanted.sort_by_key(|version| (!version.is_ready(), version.number));
    let copy = match wanted.first() {
        Some(version) => Some(copy(end, version)?),
        None => None,
    };
    let events = versions
        .iter()
        .flat_map(|version| Event::all(&version.tags));
    let interrupted = versions
        .iter()
        .find(|version| challenger == Some(version.number))
        .filter(|version| {
            copy.as_ref()
                .is_none_or(|copy| copy.number != version.number)
        })
        .and_then(|version| Event::all(&version.tags).pop())
        .filter(|event| event.state == State::Begun);
    Ok(Found {
        champion,
        challenger,
        copy,
        others: wanted.iter().skip(1).map(|v| v.number).collect(),
        last_event: events.map(|event| event.n).max().unwrap_or_default(),
        waits: match interrupted {
            Some(event) => event.waits,
            None => challenger,
        },
    })
}

fn copy(end: &OpenEnd<'_>, version: &Version) -> Result<Copy, Error> {
    let uploaded = match version.is_ready() {
        true => BTreeMap::new(),
        false => end.carrier.list(end.transport, end.model, version.number)?,
    };
    Ok(Copy {
        number: version.number,
        ready: version.is_ready(),
        tags: version.tags.clone(),
        uploaded,
    })
}
