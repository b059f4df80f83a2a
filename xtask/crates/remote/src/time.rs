//! Moments as services write them: RFC 3339 in bodies, HTTP dates in headers.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment, from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(SystemTime);

impl Timestamp {
    /// The moment by this machine's clock.
    #[must_use]
    pub fn now() -> Timestamp {
        Timestamp(SystemTime::now())
    }

    /// So many milliseconds after 1970; `None` before it.
    #[must_use]
    pub fn from_millisecond(milliseconds: i64) -> Option<Timestamp> {
        let since = Duration::from_millis(u64::try_from(milliseconds).ok()?);
        // What is later than the year 9999 cannot be written.
        let last = Duration::from_secs(253_402_300_799);
        (since <= last).then(|| Timestamp(UNIX_EPOCH + since))
    }

    /// Reads a date of an HTTP header.
    #[must_use]
    pub fn of_header(text: &str) -> Option<Timestamp> {
        httpdate::parse_http_date(text).ok().map(Timestamp)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millisecond(self) -> i64 {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn as_second(self) -> i64 {
        self.as_millisecond() / 1000
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        Timestamp(time)
    }
}

impl FromStr for Timestamp {
    type Err = humantime::TimestampError;

    fn from_str(text: &str) -> Result<Timestamp, Self::Err> {
        // Python writes an offset where others write `Z`.
        let text = text.replace("+00:00", "Z");
        humantime::parse_rfc3339_weak(&text).map(Timestamp)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = humantime::TimestampError;

    fn try_from(text: String) -> Result<Timestamp, Self::Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_services_write_them() {
        let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        assert_eq!(noon.to_string(), "2026-11-24T12:00:00Z");
        for same in [
            "2026-11-24T12:00:00+00:00",
            "2026-11-24T12:00:00.000Z",
            "2026-11-24 12:00:00",
        ] {
            assert_eq!(same.parse(), Ok(noon), "{same}");
        }
        let header = Timestamp::of_header("Tue, 24 Nov 2026 12:00:00 GMT");
        assert_eq!(header, Some(noon));
        assert_eq!(
            Timestamp::from_millisecond(noon.as_millisecond()),
            Some(noon)
        );
        assert_eq!(Timestamp::from_millisecond(-1), None);
        assert!("yesterday".parse::<Timestamp>().is_err());
        let json = serde_json::to_string(&noon).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), noon);
    }
}
