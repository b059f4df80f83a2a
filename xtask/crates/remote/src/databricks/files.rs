//! The Files API: files in volumes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::databricks::path;
use crate::transport::{Method, Request, Transport, call};

/// The files in a folder of a volume: names, and lengths in bytes.
///
/// # Errors
/// Any [`Error`].
pub fn list(transport: &dyn Transport, folder: &str) -> Result<BTreeMap<String, u64>, Error> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        contents: Vec<Entry>,
        next_page_token: Option<String>,
    }
    #[derive(Deserialize)]
    struct Entry {
        name: String,
        #[serde(default)]
        is_directory: bool,
        #[serde(default)]
        file_size: u64,
    }
    let first = Request::new(
        Method::Get,
        format!("/api/2.0/fs/directories{}", path(folder)),
    );
    let (mut files, mut request) = (BTreeMap::new(), first.clone());
    loop {
        let page: Page = call(transport, &request)?;
        let entries = page
            .contents
            .into_iter()
            .filter(|entry| !entry.is_directory);
        files.extend(entries.map(|entry| (entry.name, entry.file_size)));
        let Some(token) = page.next_page_token.filter(|token| !token.is_empty()) else {
            return Ok(files);
        };
        let next = first.clone().query("page_token", &token);
        if next.query == request.query {
            return Ok(files);
        }
        request = next;
    }
}

/// The content of a small file.
///
/// # Errors
/// Any [`Error`].
pub fn read(transport: &dyn Transport, file: &str) -> Result<Vec<u8>, Error> {
    let request = Request::new(Method::Get, format!("/api/2.0/fs/files{}", path(file)));
    transport.send(&request).map(|reply| reply.body)
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
