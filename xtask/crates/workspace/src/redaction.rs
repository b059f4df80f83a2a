//! Redaction of secrets that active runs have read.
//!
//! The kernel redacts everything that passes through Python. Output of C code and child processes goes directly to the
//! process's log, and is redacted here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use xtask_local_server::lock;

const REDACTED: &[u8] = b"[REDACTED]";

/// Values by job run, in memory until the run ends.
#[derive(Debug, Default)]
pub(crate) struct Redaction(Mutex<BTreeMap<i64, BTreeSet<Vec<u8>>>>);

impl Redaction {
    pub(crate) fn note(&self, job_run_id: i64, value: &[u8]) {
        if !value.is_empty() {
            lock(&self.0)
                .entry(job_run_id)
                .or_default()
                .insert(value.to_vec());
        }
    }

    pub(crate) fn forget(&self, job_run_id: i64) {
        lock(&self.0).remove(&job_run_id);
    }

    /// `None` if the text contains none of the values.
    pub(crate) fn hide(&self, job_run_id: i64, written: &[u8]) -> Option<Vec<u8>> {
        let values = lock(&self.0).get(&job_run_id).cloned()?;
        let mut values: Vec<Vec<u8>> = values.into_iter().collect();
        // Longer values first: one may be part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let mut hidden = None;
        for value in &values {
            hidden = replace(hidden.as_deref().unwrap_or(written), value).or(hidden);
        }
        hidden
    }
}

fn replace(text: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = position(rest, value) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(REDACTED);
        rest = &rest[at + value.len()..];
    }
    (rest.len() < text.len()).then(|| {
        kept.extend_from_slice(rest);
        kept
    })
}

fn position(text: &[u8], value: &[u8]) -> Option<usize> {
    text.windows(value.len()).position(|window| window == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_until_their_run_ends() {
        let read = Redaction::default();
        for value in ["abc", "", "abcdef"] {
            read.note(1, value.as_bytes());
        }
        let text = b"abcdef, abc\xff a";
        assert_eq!(
            read.hide(1, text).unwrap(),
            b"[REDACTED], [REDACTED]\xff a".to_vec()
        );
        assert_eq!(read.hide(1, b"nothing"), None);
        assert_eq!(read.hide(2, text), None);
        read.forget(1);
        assert_eq!(read.hide(1, text), None);
    }
}
