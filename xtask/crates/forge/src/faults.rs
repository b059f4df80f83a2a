//! Faults that tests order, such as errors, delays and lost replies.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use xtask_local_server::lock;

/// Which requests fail, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fault {
    /// `GET`, `POST`, …; any if missing.
    pub(crate) method: Option<String>,
    /// Without the query; `*` is a wildcard.
    pub(crate) path: Option<String>,
    /// Part of the body, such as the name of a GraphQL operation.
    pub(crate) body_contains: Option<String>,
    /// Number of requests to let pass first.
    pub(crate) skip: u32,
    /// Number of requests to fail; all if missing.
    pub(crate) times: Option<u32>,

    /// Delay before anything else.
    pub(crate) delay_ms: u64,
    /// Status of the reply; the request is not executed.
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
    /// Truncates the body of the real reply to this many bytes.
    pub(crate) truncate: Option<usize>,
    /// Cuts the connection before the request is executed, or after it (a lost reply).
    pub(crate) reset: Option<When>,
    /// Executes the request although `status` and `body` replace the reply.
    pub(crate) carry_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    Before,
    After,
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn order(&self, fault: Fault) {
        lock(&self.0).push(fault);
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The first matching fault counts.
    pub(crate) fn meets(&self, method: &str, path: &str, body: &str) -> Option<Fault> {
        let mut faults = lock(&self.0);
        let index = faults
            .iter()
            .position(|fault| fault.fits(method, path, body))?;
        let fault = &mut faults[index];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let met = fault.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                faults.remove(index);
            }
        }
        Some(met)
    }
}

impl Fault {
    fn fits(&self, method: &str, path: &str, body: &str) -> bool {
        self.method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .path
                .as_deref()
                .is_none_or(|pattern| fits(pattern, path))
            && self
                .body_contains
                .as_deref()
                .is_none_or(|part| body.contains(part))
    }
}

/// `*` in `pattern` is a wildcard.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let mut ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
    ends.any(|end| fits(rest, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("*/pulls", "/api/v3/repos/o/r/pulls", true),
            ("*/pulls", "/api/v3/repos/o/r/pulls/1", false),
            ("*/pulls*", "/api/v3/repos/o/r/pulls/1", true),
            ("/a", "/a", true),
            ("", "/a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_order_lets_some_pass_and_ends() {
        let faults = Faults::default();
        faults.order(Fault {
            skip: 1,
            times: Some(2),
            status: Some(500),
            ..Fault::default()
        });
        let met: Vec<bool> = (0..5)
            .map(|_| faults.meets("GET", "/", "").is_some())
            .collect();
        assert_eq!(met, [false, true, true, false, false]);
    }
}
