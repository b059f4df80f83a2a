//! A temporary state folder of the Databricks CLI for one read. In the bundle's own (`.databricks`) a plan
//! would resume an unfinished deployment, and make a running one fail.

use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;

use crate::context::Context;

/// The folder; removed on drop.
#[derive(Debug)]
pub(super) struct Aside(pub(super) Utf8PathBuf);

impl Aside {
    /// A new path. The CLI creates the folder.
    pub(super) fn new(context: &Context) -> Aside {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let folder = context.local().join("cache").join("looks").join(name);
        // Left by a killed process with the same id.
        let _ = fs_err::remove_dir_all(&folder);
        Aside(folder)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.0);
    }
}
