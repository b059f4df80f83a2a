//! Unique ids.

use std::fmt::Write as _;

use ring::rand::{SecureRandom as _, SystemRandom};

/// As many random hex digits as asked for, from the system.
pub(crate) fn hex(digits: usize) -> String {
    let mut bytes = vec![0; digits.div_ceil(2)];
    // Without the system's source of randomness no TLS connection would stand either.
    let filled = SystemRandom::new().fill(&mut bytes);
    debug_assert!(filled.is_ok());
    let mut text = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.truncate(digits);
    text
}
