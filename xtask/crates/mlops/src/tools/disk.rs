//! Room on the disk.

use camino::Utf8Path;

/// Free bytes on the file system of a folder; `None` if unknown.
pub(crate) fn free(folder: &Utf8Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let system = rustix::fs::statvfs(there.as_std_path()).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}
