//! What was asked, for tests to look at.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::Value;
use xtask_local_server::lock;

/// As many requests are kept.
const KEPT: usize = 10_000;

/// A request as it came in.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Asked {
    /// Counts from 1, in the order of arrival.
    pub(crate) number: u64,
    pub(crate) method: String,
    /// As the client said it, also where the layout is github.com's.
    pub(crate) path: String,
    pub(crate) query: String,
    /// JSON where it is, else text; `null` for none and for git's protocol.
    pub(crate) body: Value,
    /// Whose token it carried.
    pub(crate) login: Option<String>,
    /// `None` when the connection was cut.
    pub(crate) status: Option<u16>,
    /// Milliseconds since 1970, of the machine's clock.
    pub(crate) at: i64,
    pub(crate) milliseconds: u64,
}

/// The last requests.
#[derive(Debug, Default)]
pub(crate) struct Record {
    asked: Mutex<VecDeque<Asked>>,
    count: AtomicU64,
}

impl Record {
    /// The number of the request that comes in now.
    pub(crate) fn arrive(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Keeps a request that was answered.
    pub(crate) fn keep(&self, asked: Asked) {
        let mut all = lock(&self.asked);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(asked);
    }

    /// All that are kept, in the order of arrival.
    pub(crate) fn all(&self) -> Vec<Asked> {
        let mut all: Vec<Asked> = lock(&self.asked).iter().cloned().collect();
        all.sort_by_key(|asked| asked.number);
        all
    }

    /// Forgets them.
    pub(crate) fn clear(&self) {
        lock(&self.asked).clear();
    }

    /// How many came in since the start.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
