//! Folders that clients name paths in, and that no path leaves.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::state_dir::create_private_dir;

/// A folder; everything in it is opened relative to its handle, so neither `..` nor a symlink leads out.
#[derive(Debug)]
pub struct Tree {
    root: Utf8PathBuf,
    dir: Dir,
}

impl Tree {
    /// Opens the folder, and makes it where it is missing.
    pub fn open(root: &Utf8Path) -> io::Result<Tree> {
        create_private_dir(root)?;
        let dir = Dir::open_ambient_dir(root, ambient_authority())?;
        Ok(Tree {
            root: root.to_owned(),
            dir,
        })
    }

    /// The folder itself: what to hand to a process that runs in it.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The handle that confines.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}
