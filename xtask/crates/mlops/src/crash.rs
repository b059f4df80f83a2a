//! Where a test may kill this process: in the midst of what no request shows.

use rustix::process::{Signal, getpid, kill_process};

use crate::env::Env;
use crate::vars;

/// Ends the process with SIGKILL where a test has asked for it, by `XTASK_FAIL_AT=NAME`; only in builds with debug
/// assertions. Nothing else happens, as nothing else happens after a kill.
pub(crate) fn point(env: &Env, name: &str) {
    if cfg!(debug_assertions) && env.get(vars::XTASK_FAIL_AT) == Some(name) {
        let _ = kill_process(getpid(), Signal::KILL);
    }
}
