//! Requests that wait until a test lets them go on.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a test may take to do what it is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A barrier, closed at first. Copies are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    passes: usize,
    open: bool,
}

impl Gate {
    /// Lets one request go on: one that waits, or the next one that comes.
    pub fn release(&self) {
        self.change(|state| state.passes += 1);
    }

    /// Lets every request go on, those that come later too.
    pub fn open(&self) {
        self.change(|state| state.open = true);
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .waiting
    }

    /// Waits until `count` requests wait; `false` when they do not come within `limit`.
    #[must_use]
    pub fn wait_for(&self, count: usize, limit: Duration) -> bool {
        self.wait_until(limit, |state| state.waiting >= count)
    }

    /// Waits to be let through; `false` when the test has forgotten it.
    pub(super) fn pass(&self) -> bool {
        self.change(|state| state.waiting += 1);
        let passed = self.wait_until(PATIENCE, |state| {
            let may = state.open || state.passes > 0;
            if may && !state.open {
                state.passes -= 1;
            }
            may
        });
        self.change(|state| state.waiting -= 1);
        passed
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let (state, changed) = &*self.0;
        change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }

    fn wait_until(&self, limit: Duration, mut done: impl FnMut(&mut State) -> bool) -> bool {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(state, limit, |state| !done(state));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
