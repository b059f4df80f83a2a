//! Faults that were ordered: how a client copes with a bad day.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use xtask_local_server::lock;

/// One order: which requests it meets, and what happens to them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fault {
    /// `GET`, `POST`, ...; any where it is missing.
    pub(crate) method: Option<String>,
    /// The path without its query, as the client says it; `*` stands for anything.
    pub(crate) path: Option<String>,
    /// A part of the body, such as the name of a GraphQL operation.
    pub(crate) body_contains: Option<String>,
    /// Lets so many pass first.
    pub(crate) skip: u32,
    /// Meets so many, then is gone; without it all.
    pub(crate) times: Option<u32>,

    /// Waits so long before anything else.
    pub(crate) delay_ms: u64,
    /// Answers with this status instead of doing anything.
    pub(crate) status: Option<u16>,
    /// Headers of the reply, in place of those it has.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body of the reply. With `after` the request is carried out all the same.
    pub(crate) body: Option<String>,
    /// Cuts the body of the real reply to so many bytes.
    pub(crate) truncate: Option<usize>,
    /// Cuts the connection: `before` the request has an effect, or `after` it (a lost reply).
    pub(crate) reset: Option<When>,
    /// Carries the request out before `status` and `body` take the place of the reply.
    pub(crate) carry_out: bool,
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    Before,
    After,
}

/// All orders.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Takes an order.
    pub(crate) fn order(&self, fault: Fault) {
        lock(&self.0).push(fault);
    }

    /// Forgets all orders.
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// What is to happen to a request; the first order that fits counts.
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

/// Whether `text` is `pattern`, in which `*` stands for anything.
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
