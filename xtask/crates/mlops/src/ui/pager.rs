//! A pager, for answers longer than the terminal.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Shows a text in `less`; `false` where that is not to be had. Other pagers are left to pipes: not all
/// of them keep what they are shown from being obeyed.
pub(super) fn show(text: &str) -> bool {
    let mut less = Command::new("less");
    // Nothing but looking: no shell, no other files.
    less.env("LESSSECURE", "1").arg("-FX").stdin(Stdio::piped());
    let Ok(mut child) = less.spawn() else {
        return false;
    };
    if let Some(mut input) = child.stdin.take() {
        // Who leaves before the end has seen enough.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}
