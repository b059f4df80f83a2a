//! The folder of a forge: who holds it, its port, its own token, its database and repositories.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::secret::{NoRandomness, Secret};

/// A forge's folder, held by this process alone.
#[derive(Debug)]
pub struct StateDir {
    path: Utf8PathBuf,
    // Held, not read: the lock ends with the file handle.
    _lock: File,
}

/// What went wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// Another process serves this folder.
    #[error("this forge is already running")]
    AlreadyRunning,
    /// The file system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// No token can be made.
    #[error("cannot make an access token: {0}")]
    Randomness(#[from] NoRandomness),
}

impl StateDir {
    /// Makes the folder where it is missing, closes it to other users, and takes its lock.
    ///
    /// # Errors
    /// When another process holds it, or the file system refuses.
    pub fn open(path: &Utf8Path) -> Result<StateDir, StateDirError> {
        let path = camino::absolute_utf8(path)?;
        for folder in [&path, &path.join("repositories"), &path.join("logs")] {
            create_private(folder)?;
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {
                let state = StateDir { path, _lock: lock };
                // A server that was killed could not take its announcement back.
                state.withdraw();
                Ok(state)
            }
            Err(TryLockError::WouldBlock) => Err(StateDirError::AlreadyRunning),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The folder itself, absolute.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The token of whoever runs the forge; made at the first start. It reaches the control routes only.
    pub(crate) fn token(&self) -> Result<Secret, StateDirError> {
        let path = self.path.join("token");
        match fs_err::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(Secret::new(text.trim())),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => {
                let token = Secret::generate("forge_")?;
                write_private(&path, token.expose().as_bytes())?;
                Ok(token)
            }
        }
    }

    /// The port of last time.
    pub(crate) fn last_port(&self) -> Option<u16> {
        let text = fs_err::read_to_string(self.path.join("port")).ok()?;
        text.trim().parse().ok()
    }

    /// Keeps the port for next time.
    pub(crate) fn remember_port(&self, port: u16) -> Result<(), StateDirError> {
        let path = self.path.join("port");
        Ok(write_private(&path, port.to_string().as_bytes())?)
    }

    /// Says where the server answers, in `server.json`.
    pub(crate) fn announce(&self, url: &str, port: u16) -> Result<(), StateDirError> {
        let info = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(), "port": port, "url": url,
        });
        let path = self.path.join("server.json");
        Ok(write_private(&path, info.to_string().as_bytes())?)
    }

    /// Takes the announcement back; a missing one is fine.
    pub(crate) fn withdraw(&self) {
        match fs_err::remove_file(self.path.join("server.json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "server.json stays behind");
            }
            _ => {}
        }
    }
}

/// Makes a folder that only its owner may enter, with its parents.
pub(crate) fn create_private(path: &Utf8Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|error| {
        let what = format!("cannot create the folder {path}: {error}");
        std::io::Error::new(error.kind(), what)
    })?;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Replaces a file in one step; only its owner may read it.
pub(crate) fn write_private(path: &Utf8Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = fs_err::OpenOptions::new();
    fs_err::os::unix::fs::OpenOptionsExt::mode(
        options.write(true).create(true).truncate(true),
        0o600,
    );
    let mut file = options.open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs_err::rename(&temporary, path)
}
