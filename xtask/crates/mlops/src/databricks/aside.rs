//! A folder in which the Databricks CLI keeps its copy of a deployment's state for one look. In the
//! bundle's own (`.databricks`) a plan takes up what a deployment there has begun, and a deployment that
//! runs at that moment fails.

use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;

use crate::context::Context;

/// The folder; it goes with this.
#[derive(Debug)]
pub(super) struct Aside(pub(super) Utf8PathBuf);

impl Aside {
    /// A folder of its own. The CLI makes it when it needs it.
    pub(super) fn new(context: &Context) -> Aside {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let folder = context.local().join("cache").join("looks").join(name);
        // Of a process of the same number that was killed.
        let _ = fs_err::remove_dir_all(&folder);
        Aside(folder)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.0);
    }
}
