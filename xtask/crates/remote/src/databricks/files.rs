//! The Files API: files in volumes.

use std::path::Path;

use crate::Error;
use crate::databricks::path;
use crate::transport::{Method, Request, Transport};

/// Length in bytes of a file in a volume; `None` when there is none.
///
/// # Errors
/// Any [`Error`] but not-found.
pub fn length(transport: &dyn Transport, file: &str) -> Result<Option<u64>, Error> {
    let request = Request::new(Method::Head, format!("/api/2.0/fs/files{}", path(file)));
    match transport.send(&request) {
        Ok(reply) => Ok(reply
            .header("content-length")
            .and_then(|value| value.parse().ok())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The content of a small file; `None` when there is none.
///
/// # Errors
/// Any [`Error`] but not-found.
pub fn read(transport: &dyn Transport, file: &str) -> Result<Option<Vec<u8>>, Error> {
    let request = Request::new(Method::Get, format!("/api/2.0/fs/files{}", path(file)));
    match transport.send(&request) {
        Ok(reply) => Ok(Some(reply.body)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Uploads a local file, replacing what is there. Folders are made as needed.
///
/// # Errors
/// Any [`Error`].
pub fn upload(transport: &dyn Transport, local: &Path, file: &str) -> Result<(), Error> {
    let request = Request::new(Method::Put, format!("/api/2.0/fs/files{}", path(file)))
        .query("overwrite", "true")
        .file(local);
    transport.send(&request).map(drop)
}
