//! Where the repository that is tested is.

use std::path::{Path, PathBuf};

/// The repository that is tested.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(3)
        .map(Path::to_owned)
        .unwrap_or_default()
}
