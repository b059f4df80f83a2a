//! Locks that outlive a panic.

use std::sync::{Mutex, PoisonError};

/// Locks `mutex`; a thread that panicked while holding it does not take the server down.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
