//! An empty home folder.

use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;

use crate::context::Context;

/// The folder; removed on drop.
#[derive(Debug)]
pub(super) struct Home(pub(super) Utf8PathBuf);

impl Home {
    /// A new folder.
    pub(super) fn new(context: &Context) -> std::io::Result<Home> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let folder = context.local().join("cache").join("smoke").join(name);
        // Left by a killed process with the same id.
        let _ = fs_err::remove_dir_all(&folder);
        fs_err::create_dir_all(&folder)?;
        Ok(Home(folder))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.0);
    }
}
