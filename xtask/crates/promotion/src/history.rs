//! Who promoted what to a target, when, from where: read from the versions' tags, so that any machine can.

use serde::Serialize;

use crate::error::Error;
use crate::event::Event;
use crate::open_end::OpenEnd;
use crate::survey::CHAMPION;

/// A promotion that a target remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The version of the target's model that it is about.
    pub version: u64,
    /// What the version remembers.
    #[serde(flatten)]
    pub event: Event,
    /// Whether this version is champion now.
    pub champion: bool,
}

/// All promotions, newest first.
pub fn read(end: &OpenEnd<'_>) -> Result<Vec<Entry>, Error> {
    let champion = end.registry.aliased(end.transport, end.model, CHAMPION)?;
    let versions = end.registry.versions(end.transport, end.model)?;
    let mut entries: Vec<Entry> = versions
        .iter()
        .flat_map(|version| {
            let events = Event::all(&version.tags).into_iter();
            events.map(|event| Entry {
                version: version.number,
                event,
                champion: champion == Some(version.number),
            })
        })
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.event.n));
    Ok(entries)
}
