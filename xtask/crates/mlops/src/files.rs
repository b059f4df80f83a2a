//! Files that other commands read while they are written.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;

/// Writes a file, and its folder, so that readers see the old content or the new one, never a part.
pub(crate) fn replace(path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    write(path, bytes, 0o666)
}

/// The same, for this user alone.
pub(crate) fn replace_private(path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    write(path, bytes, 0o600)
}

fn write(path: &Utf8Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut name = path.to_path_buf().into_string();
    name.push_str(&format!(".new-{}", std::process::id()));
    let mut options = fs_err::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    // What a killed process left keeps its own mode, and may be a link: it goes first.
    match fs_err::remove_file(&name) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Made with its mode: there is no moment at which others could open it.
    options.options_mut().mode(mode);
    options.open(&name)?.write_all(bytes)?;
    fs_err::rename(&name, path)
}
