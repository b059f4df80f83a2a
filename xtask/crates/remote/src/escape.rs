//! Names as parts of a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands unescaped in a path (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The same within a path, whose slashes stay.
const IN_PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Escapes one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Escapes an absolute path, keeping its slashes.
pub(crate) fn path(text: &str) -> String {
    utf8_percent_encode(text, IN_PATH).to_string()
}
