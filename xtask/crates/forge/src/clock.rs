//! The forge's clock. Tests can move it instead of waiting.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) i64);

impl Time {
    /// The machine's clock plus `offset` milliseconds.
    pub(crate) fn now(offset: i64) -> Time {
        Time(Timestamp::now().as_millisecond() + offset)
    }

    pub(crate) fn plus(self, seconds: i64) -> Time {
        Time(self.0 + seconds * 1000)
    }

    /// Since 1970.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// From RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Time> {
        let timestamp: Timestamp = text.parse().ok()?;
        Some(Time(timestamp.as_millisecond()))
    }
}

/// GitHub's format: `2026-11-24T11:13:48Z`.
impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let timestamp = Timestamp::from_second(self.seconds()).unwrap_or_default();
        write!(f, "{timestamp}")
    }
}
