//! A confined folder.

use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::ambient_authority;
use cap_std::fs::{
    Dir, DirBuilder, DirBuilderExt as _, File, Metadata, OpenOptions, OpenOptionsExt as _,
};
use xtask_local_server::secret::random;
use xtask_local_server::state_dir::create_private_dir;

use super::path::RelativePath;

/// Everything is opened relative to the folder's handle, so neither `..` nor a symlink leads out. Uploads are written
/// beside the folder and moved in when complete.
#[derive(Debug)]
pub struct Tree {
    root: Utf8PathBuf,
    dir: Dir,
    incoming: Dir,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub is_dir: bool,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since the Unix epoch.
    pub modified_at: i64,
}

impl Tree {
    /// Creates the folder if missing. Uploads wait in `incoming`, which must lie on the same file system.
    pub fn open(root: &Utf8Path, incoming: &Utf8Path) -> io::Result<Tree> {
        create_private_dir(root)?;
        create_private_dir(incoming)?;
        Ok(Tree {
            root: root.to_owned(),
            dir: Dir::open_ambient_dir(root, ambient_authority())?,
            incoming: Dir::open_ambient_dir(incoming, ambient_authority())?,
        })
    }

    /// The folder, for processes that work in it.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The confining handle, for operations that this type does not offer.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// `None` if nothing is there.
    pub fn metadata(&self, path: &RelativePath) -> io::Result<Option<Metadata>> {
        match self.dir.metadata(in_dir(path)) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn open_file(&self, path: &RelativePath) -> io::Result<File> {
        self.dir.open(in_dir(path))
    }

    pub fn create_dir_all(&self, path: &RelativePath) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        if path.as_str().is_empty() {
            Ok(())
        } else {
            self.dir.create_dir_with(path.as_str(), &builder)
        }
    }

    pub fn list(&self, path: &RelativePath) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in self.dir.read_dir(in_dir(path))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // A symlink that leads out has no metadata and is hidden from clients.
            if let Ok(Some(metadata)) = self.metadata(&path.join(&name)) {
                let (is_dir, size) = (metadata.is_dir(), metadata.len());
                entries.push(Entry {
                    name,
                    is_dir,
                    size,
                    modified_at: modified_ms(&metadata),
                });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    pub fn begin(&self) -> io::Result<Upload<'_>> {
        let name: String = random::<16>()
            .map_err(io::Error::other)?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = self.incoming.open_with(&name, &options)?;
        Ok(Upload {
            tree: self,
            name,
            file: Some(file.into_std()),
        })
    }

    /// Writes a whole file; see [`Upload::place`].
    pub fn write(&self, path: &RelativePath, content: &[u8], overwrite: bool) -> io::Result<()> {
        let mut upload = self.begin()?;
        if let Some(file) = &mut upload.file {
            file.write_all(content)?;
        }
        upload.place(path, overwrite)
    }

    /// Removes a file or a folder; a non-empty folder only with `recursive`.
    pub fn remove(&self, path: &RelativePath, recursive: bool) -> io::Result<()> {
        let name = in_dir(path);
        let metadata = self.dir.symlink_metadata(name)?;
        match (metadata.is_dir(), recursive) {
            (true, true) => self.dir.remove_dir_all(name),
            (true, false) => self.dir.remove_dir(name),
            (false, _) => self.dir.remove_file(name),
        }
    }

    pub fn rename(&self, from: &RelativePath, to: &RelativePath) -> io::Result<()> {
        self.dir.rename(in_dir(from), &self.dir, in_dir(to))
    }
}

/// An incomplete file. Dropped before it is placed, it is deleted.
#[derive(Debug)]
pub struct Upload<'t> {
    tree: &'t Tree,
    name: String,
    file: Option<std::fs::File>,
}

impl Upload<'_> {
    /// The file to write to; can be taken once.
    pub fn take_file(&mut self) -> io::Result<std::fs::File> {
        self.file
            .take()
            .ok_or_else(|| io::Error::other("the upload's file was taken before"))
    }

    /// Moves the file into place atomically. Without `overwrite`, an existing file makes it fail with `AlreadyExists`,
    /// also in a race of two uploads.
    pub fn place(self, path: &RelativePath, overwrite: bool) -> io::Result<()> {
        let Tree { dir, incoming, .. } = self.tree;
        if overwrite {
            return incoming.rename(&self.name, dir, path.as_str());
        }
        // The drop removes the first name.
        incoming.hard_link(&self.name, dir, path.as_str())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = self.tree.incoming.remove_file(&self.name);
    }
}

/// Time of the last change, milliseconds since the Unix epoch.
pub(crate) fn modified_ms(metadata: &Metadata) -> i64 {
    let modified = metadata.modified().map(cap_std::time::SystemTime::into_std);
    let since = modified
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

fn in_dir(path: &RelativePath) -> &str {
    if path.as_str().is_empty() {
        "."
    } else {
        path.as_str()
    }
}

/// Whether nothing is there; also where a parent is a file, or a symlink leads out.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::parse(text).unwrap()
    }

    fn tree(dir: &tempfile::TempDir) -> Tree {
        let base = Utf8Path::from_path(dir.path()).unwrap();
        Tree::open(&base.join("tree"), &base.join("incoming")).unwrap()
    }

    #[test]
    fn a_symlink_out_of_the_tree_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let tree = tree(&dir);
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink("../secret", dir.path().join("tree/link")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("tree/up")).unwrap();
        assert!(tree.open_file(&path("link")).is_err());
        assert!(tree.open_file(&path("up/secret")).is_err());
        assert!(tree.write(&path("up/new"), b"x", true).is_err());
        assert!(tree.list(&path("")).unwrap().is_empty());
        assert!(!dir.path().join("new").exists());
        // Replacing the link itself is fine, and leaves what it pointed to.
        tree.write(&path("link"), b"x", true).unwrap();
        tree.remove(&path("up"), true).unwrap();
        assert_eq!(
            std::fs::read_to_string(dir.path().join("secret")).unwrap(),
            "s"
        );
    }

    #[test]
    fn of_two_writers_without_overwrite_one_wins_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let tree = tree(&dir);
        tree.write(&path("lock"), b"1", false).unwrap();
        let error = tree.write(&path("lock"), b"2", false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        drop(tree.begin().unwrap());
        assert_eq!(
            std::fs::read_dir(dir.path().join("incoming"))
                .unwrap()
                .count(),
            0
        );
        assert_eq!(
            std::fs::read_to_string(dir.path().join("tree/lock")).unwrap(),
            "1"
        );
    }
}
