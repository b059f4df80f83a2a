//! Folders for one use.

use std::io::Write as _;
use std::ops::Deref;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};

/// A folder that no other process uses; removed on drop.
#[derive(Debug)]
pub(crate) struct Temporary(Utf8PathBuf);

impl Temporary {
    /// A path that begins like this, where nothing is yet.
    pub(crate) fn path(start: &Utf8Path) -> Temporary {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = format!("{start}-{}-{number}", std::process::id());
        // Left by a killed process with the same id.
        let _ = fs_err::remove_dir_all(&path);
        Temporary(path.into())
    }

    /// An empty folder for this user alone.
    pub(crate) fn folder(start: &Utf8Path) -> std::io::Result<Temporary> {
        let folder = Temporary::path(start);
        if let Some(parent) = folder.parent() {
            fs_err::create_dir_all(parent)?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&*folder)?;
        Ok(folder)
    }

    /// A new file in it for this user alone.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> std::io::Result<Utf8PathBuf> {
        let path = self.join(name);
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create_new(true);
        options.options_mut().mode(0o600);
        options.open(&path)?.write_all(content)?;
        Ok(path)
    }
}

impl Deref for Temporary {
    type Target = Utf8Path;

    fn deref(&self) -> &Utf8Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.0);
    }
}
