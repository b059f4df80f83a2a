//! The folder of a workspace: who holds it, its port, its token, and what it says about the running server.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::secret::{NoRandomness, Secret};

/// How long the lock may be held by somebody who does not serve.
const PATIENCE: Duration = Duration::from_secs(10);

/// A workspace's folder, held by this process alone.
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
    #[error("this workspace is already running{}", address_hint(.url))]
    AlreadyRunning {
        /// Where it answers, when it says so.
        url: Option<String>,
    },
    /// The file system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// No token can be made.
    #[error("cannot make an access token: {0}")]
    Randomness(#[from] NoRandomness),
}

fn address_hint(url: &Option<String>) -> String {
    url.as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default()
}

/// What `server.json` says about a running server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Version of the program.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its base address.
    pub url: String,
    /// Id of the workspace.
    pub workspace_id: String,
    /// When it started, RFC 3339.
    pub started_at: String,
}

impl ServerInfo {
    /// Whether there is a process with its id.
    fn is_alive(&self) -> bool {
        i32::try_from(self.pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }
}

impl StateDir {
    /// Makes the folder where it is missing, closes it to other users, and takes its lock.
    pub fn open(path: &Utf8Path) -> Result<StateDir, StateDirError> {
        let path = camino::absolute_utf8(path)?;
        create_private_dir(&path)?;
        for part in [
            "files", "volumes", "dbfs", "models", "incoming", "runs", "mlflow",
        ] {
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
        // A server that was killed could not take its announcement back.
        state.withdraw();
        Ok(state)
    }

    /// The folder itself, absolute.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The personal access token; made at the first start.
    pub fn token(&self) -> Result<Secret, StateDirError> {
        let path = self.path.join("token");
        match fs_err::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => {
                fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
                Ok(Secret::new(text.trim()))
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => {
                let token = Secret::generate("dapi")?;
                write_private(&path, token.expose().as_bytes())?;
                Ok(token)
            }
        }
    }

    /// The port of last time.
    pub fn last_port(&self) -> Option<u16> {
        fs_err::read_to_string(self.path.join("port"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Keeps the port for next time.
    pub fn remember_port(&self, port: u16) -> Result<(), StateDirError> {
        Ok(write_private(
            &self.path.join("port"),
            port.to_string().as_bytes(),
        )?)
    }

    /// Says where the server answers.
    pub fn announce(&self, info: &ServerInfo) -> Result<(), StateDirError> {
        let text = serde_json::to_vec_pretty(info).map_err(std::io::Error::from)?;
        Ok(write_private(&self.path.join("server.json"), &text)?)
    }

    /// Takes the announcement back; a missing one is fine.
    pub fn withdraw(&self) {
        match fs_err::remove_file(self.path.join("server.json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "server.json stays behind");
            }
            _ => {}
        }
    }
}

/// Takes the lock. One that is held by a server which serves is an error at once. Else its holder is about to serve, is
/// ending, or is a child that a killed server had just forked: all of them are over soon.
fn take(lock: &File, path: &Utf8Path) -> Result<(), StateDirError> {
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Err(TryLockError::WouldBlock) => {}
        }
        let server = read_server_info(path).filter(ServerInfo::is_alive);
        if server.is_some() || begun.elapsed() > PATIENCE {
            let url = server.map(|server| server.url);
            return Err(StateDirError::AlreadyRunning { url });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn read_server_info(path: &Utf8Path) -> Option<ServerInfo> {
    serde_json::from_slice(&fs_err::read(path.join("server.json")).ok()?).ok()
}

/// Makes a folder that only its owner may enter, with its parents.
pub fn create_private_dir(path: &Utf8Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            std::io::Error::new(
                error.kind(),
                format!("cannot create the folder {path}: {error}"),
            )
        })?;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Replaces a file in one step; only its owner may read it.
pub fn write_private(path: &Utf8Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let result = (|| {
        let mut options = fs_err::OpenOptions::new();
        fs_err::os::unix::fs::OpenOptionsExt::mode(
            options.write(true).create(true).truncate(true),
            0o600,
        );
        let mut file = options.open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs_err::rename(&temporary, path)
    })();
    if result.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    result
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
        let first = StateDir::open(&path).unwrap();
        let info = ServerInfo {
            version: "0".into(),
            pid: std::process::id(),
            port: 5,
            url: "http://127.0.0.1:5".into(),
            workspace_id: "1".into(),
            started_at: String::new(),
        };
        first.announce(&info).unwrap();
        let error = StateDir::open(&path).unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:5"), "{error}");
        drop(first);
        StateDir::open(&path).unwrap();
    }

    #[test]
    fn a_start_waits_for_a_server_that_is_ending() {
        let (_guard, path) = temporary();
        let ending = StateDir::open(&path).unwrap();
        let end = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(ending);
        });
        StateDir::open(&path).unwrap();
        end.join().unwrap();
    }

    #[test]
    fn everything_is_closed_to_other_users_and_the_token_stays() {
        let (_guard, path) = temporary();
        let state = StateDir::open(&path).unwrap();
        let token = state.token().unwrap();
        state.remember_port(4321).unwrap();
        assert_eq!(state.token().unwrap(), token);
        assert_eq!(state.last_port(), Some(4321));
        for (name, mode) in [
            ("", 0o700),
            ("files", 0o700),
            ("token", 0o600),
            ("port", 0o600),
            ("lock", 0o600),
        ] {
            let actual = std::fs::metadata(path.join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777;
            assert_eq!(actual, mode, "{name}");
        }
    }
}
