//! A record of requests, for tests.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::Value;
use xtask_local_server::lock;

const KEPT: usize = 10_000;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Asked {
    /// From 1, in the order of arrival.
    pub(crate) number: u64,
    pub(crate) method: String,
    /// The client's path, also in github.com's layout.
    pub(crate) path: String,
    pub(crate) query: String,
    /// JSON if possible, else a string; `null` for none and for git.
    pub(crate) body: Value,
    pub(crate) login: Option<String>,
    /// `None` if the connection was cut.
    pub(crate) status: Option<u16>,
    /// Milliseconds since 1970, by the machine's clock.
    pub(crate) at: i64,
    pub(crate) milliseconds: u64,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    asked: Mutex<VecDeque<Asked>>,
    count: AtomicU64,
}

impl RequestLog {
    pub(crate) fn arrive(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn keep(&self, asked: Asked) {
        let mut all = lock(&self.asked);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(asked);
    }

    pub(crate) fn all(&self) -> Vec<Asked> {
        let mut all: Vec<Asked> = lock(&self.asked).iter().cloned().collect();
        all.sort_by_key(|asked| asked.number);
        all
    }

    pub(crate) fn clear(&self) {
        lock(&self.asked).clear();
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
