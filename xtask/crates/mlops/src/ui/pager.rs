//! A pager, for answers longer than the terminal.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Shows a text in `less`; `false` where `less` is missing. Other pagers are not used: not all of them
/// neutralise escape sequences.
pub(super) fn show(text: &str) -> bool {
    let mut less = Command::new("less");
    // Read-only: no shell, no other files.
    less.env("LESSSECURE", "1").arg("-FX").stdin(Stdio::piped());
    let Ok(mut child) = less.spawn() else {
        return false;
    };
    if let Some(mut input) = child.stdin.take() {
        // Quitting early closes the pipe; that is not an error.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}
