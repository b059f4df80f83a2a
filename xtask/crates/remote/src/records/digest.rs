//! The digest of a model version's files, as docs/records.md defines it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::sha256::Sha256;

/// A file that Unity Catalog adds to a version's files on upload; not part of what was trained.
const ADDED_BY_REGISTRY: &str = "registered_model_meta";

/// One digest for all files of a folder: `sha256:` and 64 hex digits.
///
/// # Errors
/// [`Error::File`] when a file cannot be read, or its name is no UTF-8.
pub fn artifact_digest(folder: &Path) -> Result<String, Error> {
    let mut paths = Vec::new();
    collect(folder, "", &mut paths)?;
    // `str` compares byte by byte, which is the order that the digest asks for.
    paths.sort_unstable();
    let mut whole = Sha256::new();
    for path in paths.iter().filter(|path| *path != ADDED_BY_REGISTRY) {
        let (length, content) = file(&folder.join(path))?;
        whole.update(format!("{path}\0{length}\0{content}\n").as_bytes());
    }
    Ok(format!("sha256:{}", whole.hex()))
}

/// Adds the paths of all files below `folder`, relative to the first one, with `/` between parts.
/// Links to files count as what they point at; links to folders are not followed.
fn collect(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<(), Error> {
    let failed = |source| unreadable(folder, source);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            let reason = "its name is no UTF-8";
            return Err(unreadable(
                &path,
                io::Error::new(io::ErrorKind::InvalidData, reason),
            ));
        };
        let relative = format!("{prefix}{name}");
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&path, &format!("{relative}/"), paths)?;
        } else if !path.is_dir() {
            paths.push(relative);
        }
    }
    Ok(())
}

/// Length in bytes, and SHA-256 in hex.
fn file(path: &Path) -> Result<(u64, String), Error> {
    let failed = |source| unreadable(path, source);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut length) = (Sha256::new(), 0);
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => return Ok((length, hasher.hex())),
            read => {
                hasher.update(&block[..read]);
                length += read as u64;
            }
        }
    }
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: PathBuf::from(path).display().to_string(),
        source,
    }
}
