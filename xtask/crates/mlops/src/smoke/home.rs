//! An empty folder to be at home in.

use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;

use crate::context::Context;

/// The folder; it goes with this.
#[derive(Debug)]
pub(super) struct Home(pub(super) Utf8PathBuf);

impl Home {
    /// One of its own.
    pub(super) fn new(context: &Context) -> std::io::Result<Home> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let folder = context.local().join("cache").join("smoke").join(name);
        // Of a process of the same number that was killed.
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
