//! Points at which a test may kill this process, between two requests.

use rustix::process::{Signal, getpid, kill_process};

use crate::env::Env;
use crate::vars;

/// Ends the process with SIGKILL if `XTASK_FAIL_AT=NAME` names this point; only in builds with debug
/// assertions.
pub(crate) fn point(env: &Env, name: &str) {
    if cfg!(debug_assertions) && env.get(vars::XTASK_FAIL_AT) == Some(name) {
        let _ = kill_process(getpid(), Signal::KILL);
    }
}
