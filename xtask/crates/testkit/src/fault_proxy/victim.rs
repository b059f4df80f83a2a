//! The process that is killed.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, test_kill_process, waitid,
};

/// How long to wait for a process to be named, and to be dead.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that may not be started yet. Copies are the same one.
#[derive(Debug, Clone, Default)]
pub struct Victim(Arc<(Mutex<Option<u32>>, Condvar)>);

impl Victim {
    /// Names the process.
    pub fn is(&self, pid: u32) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid);
        self.0.1.notify_all();
    }

    /// Kills the process and waits until it is dead. `false` when not configured one it is, or it
    /// does not die.
    pub(super) fn kill(&self) -> bool {
        let (named, changed) = &*self.0;
        let named = named.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(named, PATIENCE, |pid| pid.is_none());
        let pid = *waited.unwrap_or_else(PoisonError::into_inner).0;
        let Some(pid) = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) else {
            return false;
        };
        // Whoever has died by himself is as dead.
        let _ = kill_process(pid, Signal::KILL);
        let begun = Instant::now();
        while !is_dead(pid) {
            if begun.elapsed() > PATIENCE {
                return false;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        true
    }
}

/// Whether a process is gone, or a child of ours that waits to be asked how it ended.
fn is_dead(pid: Pid) -> bool {
    // Left as it is: the test wants to ask, too.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match waitid(WaitId::Pid(pid), look) {
        Ok(ended) => ended.is_some(),
        // No child of ours.
        Err(Errno::CHILD) => test_kill_process(pid).is_err(),
        Err(_) => false,
    }
}
