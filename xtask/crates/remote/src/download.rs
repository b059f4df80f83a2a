//! Downloads of large files: streamed to disk, compared with a digest, never left half-written.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::blocking::{Client, Response};

use crate::http::is_loopback;
use crate::sha256::Sha256;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// How long to wait for the next bytes; the whole may take as long as it takes.
const STALL: Duration = Duration::from_secs(60);

/// Why a file was not downloaded. Nothing is left at its destination then.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No connection.
    #[error("{url} is not reached ({reason})")]
    Unreachable {
        /// The address.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// The server has nothing there, or refuses.
    #[error("{url} answers {status}")]
    Refused {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// A page came instead of a file.
    #[error("{url} answers with a web page, not a file; perhaps the sign-in page of a proxy")]
    NotAFile {
        /// The address.
        url: String,
    },
    /// No bytes for too long.
    #[error("{url}: nothing came for {} seconds, after {done} bytes", STALL.as_secs())]
    Stalled {
        /// The address.
        url: String,
        /// Bytes that had come.
        done: u64,
    },
    /// The connection ended early.
    #[error("{url}: the connection ended after {done} bytes ({reason})")]
    Cut {
        /// The address.
        url: String,
        /// Bytes that had come.
        done: u64,
        /// What the network said.
        reason: String,
    },
    /// The content is not what its digest says.
    #[error("{url} has SHA-256 {found}, expected {expected}")]
    Altered {
        /// The address.
        url: String,
        /// The digest of what came.
        found: String,
        /// The digest that it should have.
        expected: String,
    },
    /// The caller said stop.
    #[error("the download was stopped")]
    Cancelled,
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Downloads `url` to `destination`, which appears only when it is whole and its SHA-256 (hex) is
/// right. `on_bytes` is told bytes done and in all, and answers whether to go on. Proxies of the
/// environment are used, except for loopback addresses.
pub fn download(
    url: &str,
    destination: &Path,
    sha256: &str,
    on_bytes: &mut dyn FnMut(u64, Option<u64>) -> bool,
) -> Result<(), DownloadError> {
    let partial = destination.with_extension("part");
    let result = stream(url, open(url)?, &partial, sha256, on_bytes).and_then(|()| {
        std::fs::rename(&partial, destination).map_err(|source| file_error(destination, source))
    });
    if result.is_err() {
        // Gone already when it could not be created.
        let _ = std::fs::remove_file(&partial);
    }
    result
}

fn open(url: &str) -> Result<Response, DownloadError> {
    // A second call finds the provider installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(CONNECT)
        // Of a blocking client's this is the wait for each answer and each read, not for the whole.
        .timeout(STALL)
        .user_agent(concat!("xtask/", env!("CARGO_PKG_VERSION")));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    let unreachable = |error: reqwest::Error| DownloadError::Unreachable {
        url: url.to_owned(),
        reason: innermost(&error),
    };
    let client = builder.build().map_err(unreachable)?;
    let reply = client.get(url).send().map_err(unreachable)?;
    if !reply.status().is_success() {
        return Err(DownloadError::Refused {
            url: url.to_owned(),
            status: reply.status().as_u16(),
        });
    }
    let kind = reply.headers().get(reqwest::header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return Err(DownloadError::NotAFile {
            url: url.to_owned(),
        });
    }
    Ok(reply)
}

fn stream(
    url: &str,
    mut reply: Response,
    partial: &Path,
    sha256: &str,
    on_bytes: &mut dyn FnMut(u64, Option<u64>) -> bool,
) -> Result<(), DownloadError> {
    let total = reply.content_length();
    let mut file = File::create(partial).map_err(|source| file_error(partial, source))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut done = 0;
    loop {
        let read = match reply.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Err(broken(url, done, &error)),
        };
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read])
            .map_err(|source| file_error(partial, source))?;
        done += read as u64;
        if !on_bytes(done, total) {
            return Err(DownloadError::Cancelled);
        }
    }
    file.sync_all()
        .map_err(|source| file_error(partial, source))?;
    let found = hasher.hex();
    if !found.eq_ignore_ascii_case(sha256) {
        return Err(DownloadError::Altered {
            url: url.to_owned(),
            found,
            expected: sha256.to_owned(),
        });
    }
    Ok(())
}

fn broken(url: &str, done: u64, error: &std::io::Error) -> DownloadError {
    let url = url.to_owned();
    let timed_out = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
        .is_some_and(reqwest::Error::is_timeout);
    if timed_out || error.kind() == std::io::ErrorKind::TimedOut {
        return DownloadError::Stalled { url, done };
    }
    DownloadError::Cut {
        url,
        done,
        reason: innermost(error),
    }
}

/// The last cause of an error, which is the one that tells.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

fn file_error(path: &Path, source: std::io::Error) -> DownloadError {
    DownloadError::File {
        path: path.to_owned(),
        source,
    }
}
