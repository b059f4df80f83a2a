//! What the tests share.

mod archive_server;
mod hermetic;

pub use archive_server::{Reply, Server};
pub use hermetic::{PASSED_THROUGH, PASSED_THROUGH_PREFIXES, hermetic};
