//! The folder of a server: lock, port, token, and `server.json`, which tells clients where it answers.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::{NoRandomness, Secret};

/// How long another process may hold the lock without serving.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server's folder, locked by this process.
#[derive(Debug)]
pub struct StateDir {
    path: Utf8PathBuf,
    // Held, not read: the lock ends with the file handle.
    _lock: File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    #[error("a server is already running in {folder}{}", address_hint(.url))]
    AlreadyRunning {
        folder: Utf8PathBuf,
        url: Option<String>,
    },
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("cannot make an access token: {0}")]
    Randomness(#[from] NoRandomness),
}

fn address_hint(url: &Option<String>) -> String {
    url.as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default()
}

/// The content of `server.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Version of the program.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its base address, without a trailing slash.
    pub url: String,
    /// RFC 3339.
    pub started_at: String,
    /// Fields of one kind of server.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl ServerInfo {
    fn is_alive(&self) -> bool {
        i32::try_from(self.pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }
}

impl StateDir {
    /// Makes the folder and its `parts`, closes them to other users, and takes the lock.
    pub fn open(path: &Utf8Path, parts: &[&str]) -> Result<StateDir, StateDirError> {
        let path = camino::absolute_utf8(path)?;
        create_private_dir(&path)?;
        for part in parts {
            create_private_dir(&path.join(part))?;
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))?;
        take(&lock, &path)?;
        let state = StateDir { path, _lock: lock };
        // A killed server leaves its server.json behind.
        state.withdraw();
        Ok(state)
    }

    /// The absolute path.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The owner's access token, made at the first start with this prefix.
    pub fn token(&self, prefix: &str) -> Result<Secret, StateDirError> {
        let path = self.path.join("token");
        match fs_err::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => {
                fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
                Ok(Secret::new(text.trim()))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => {
                let token = Secret::generate::<32>(prefix)?;
                write_private(&path, token.expose().as_bytes())?;
                Ok(token)
            }
        }
    }

    /// The port of the previous start.
    pub fn last_port(&self) -> Option<u16> {
        let text = fs_err::read_to_string(self.path.join("port")).ok()?;
        text.trim().parse().ok()
    }

    /// Keeps the port for the next start.
    pub fn remember_port(&self, port: u16) -> io::Result<()> {
        write_private(&self.path.join("port"), port.to_string().as_bytes())
    }

    /// Writes `server.json`.
    pub fn announce(&self, info: &ServerInfo) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(info)?;
        write_private(&self.path.join("server.json"), &text)
    }

    /// Removes `server.json`, if there is one.
    pub fn withdraw(&self) {
        match fs_err::remove_file(self.path.join("server.json")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "cannot remove server.json");
            }
            _ => {}
        }
    }
}

/// Takes the lock. Fails at once while a server holds it that serves. Any other holder is starting, stopping, or a child
/// that a killed server had just forked, and is gone within moments.
fn take(lock: &File, folder: &Utf8Path) -> Result<(), StateDirError> {
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Err(TryLockError::WouldBlock) => {}
        }
        let server = read_server_info(folder).filter(ServerInfo::is_alive);
        if server.is_some() || begun.elapsed() > PATIENCE {
            return Err(StateDirError::AlreadyRunning {
                folder: folder.to_owned(),
                url: server.map(|server| server.url),
            });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn read_server_info(folder: &Utf8Path) -> Option<ServerInfo> {
    serde_json::from_slice(&fs_err::read(folder.join("server.json")).ok()?).ok()
}

/// Makes a folder with mode 0700, and its parents.
pub fn create_private_dir(path: &Utf8Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    let created = builder.recursive(true).mode(0o700).create(path);
    created.map_err(|error| {
        let what = format!("cannot create the folder {path}: {error}");
        io::Error::new(error.kind(), what)
    })?;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Replaces a file in one step, with mode 0600.
pub fn write_private(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let write = || {
        let folder = path.parent().unwrap_or(Utf8Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error: io::Error| {
        io::Error::new(error.kind(), format!("cannot write {path}: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("state")).unwrap();
        (dir, path)
    }

    #[test]
    fn a_second_start_is_told_where_the_first_answers() {
        let (_guard, path) = temporary();
        let first = StateDir::open(&path, &[]).unwrap();
        let info = ServerInfo {
            version: "0".into(),
            pid: std::process::id(),
            port: 5,
            url: "http://127.0.0.1:5".into(),
            started_at: String::new(),
            details: Map::new(),
        };
        first.announce(&info).unwrap();
        let error = StateDir::open(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:5"), "{error}");
        drop(first);
        StateDir::open(&path, &[]).unwrap();
    }

    #[test]
    fn a_start_waits_for_a_server_that_is_stopping() {
        let (_guard, path) = temporary();
        let stopping = StateDir::open(&path, &[]).unwrap();
        let end = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(stopping);
        });
        StateDir::open(&path, &[]).unwrap();
        end.join().unwrap();
    }

    #[test]
    fn everything_is_closed_to_other_users_and_the_token_stays() {
        let (_guard, path) = temporary();
        let state = StateDir::open(&path, &["files"]).unwrap();
        let token = state.token("dapi").unwrap();
        state.remember_port(4321).unwrap();
        assert_eq!(state.token("dapi").unwrap(), token);
        assert_eq!(state.last_port(), Some(4321));
        for (name, mode) in [
            ("", 0o700),
            ("files", 0o700),
            ("token", 0o600),
            ("port", 0o600),
            ("lock", 0o600),
        ] {
            let actual = std::fs::metadata(path.join(name)).unwrap().permissions();
            assert_eq!(actual.mode() & 0o777, mode, "{name}");
        }
    }
}
