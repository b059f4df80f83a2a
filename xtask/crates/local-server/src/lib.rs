//! The chassis of the two servers, the local workspace and the local forge.
//!
//! - [`state_dir`]: the folder that holds a server's state, its lock, port, token and `server.json`.
//! - [`secret`]: tokens and codes.
//! - [`program`]: command line, log and signals of the server programs.
//! - [`serving`]: listening on loopback, and when to stop.
//! - [`sign_in`]: one-time links and session cookies.
//! - [`browser`]: which requests of browsers are refused, and the headers that protect a page.

pub mod browser;
pub mod program;
pub mod secret;
pub mod serving;
pub mod sign_in;
pub mod state_dir;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, also after a thread panicked while holding it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine's clock, milliseconds since the Unix epoch.
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
