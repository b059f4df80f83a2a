//! The Files API: files in volumes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::databricks::path;
use crate::transport::{Method, Request, Transport, pages};

/// The files in a folder of a volume: names, and lengths in bytes.
pub fn list(transport: &dyn Transport, folder: &str) -> Result<BTreeMap<String, u64>, Error> {
    let files = entries(transport, folder)?.into_iter();
    Ok(files
        .filter(|entry| !entry.is_directory)
        .map(|entry| (entry.name, entry.file_size))
        .collect())
}

/// The names of the files and folders in a folder of a volume.
pub fn names(transport: &dyn Transport, folder: &str) -> Result<Vec<String>, Error> {
    let entries = entries(transport, folder)?.into_iter();
    Ok(entries.map(|entry| entry.name).collect())
}

/// A file or a folder.
#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    is_directory: bool,
    #[serde(default)]
    file_size: u64,
}

fn entries(transport: &dyn Transport, folder: &str) -> Result<Vec<Entry>, Error> {
    let first = format!("/api/2.0/fs/directories{}", path(folder));
    pages(transport, &Request::new(Method::Get, first), "contents")
}

/// All files below a folder: paths relative to it, and lengths in bytes.
pub fn list_all(transport: &dyn Transport, folder: &str) -> Result<BTreeMap<String, u64>, Error> {
    let mut files = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        for entry in entries(transport, &format!("{folder}{below}"))? {
            let path = format!("{below}/{}", entry.name);
            match entry.is_directory {
                true => folders.push(path),
                false => {
                    files.insert(path[1..].to_owned(), entry.file_size);
                }
            }
        }
    }
    Ok(files)
}

/// The request for the content of a file, without a deadline.
#[must_use]
pub fn download(file: &str) -> Request {
    let mut request = Request::new(Method::Get, format!("/api/2.0/fs/files{}", path(file)));
    request.deadline = None;
    request
}

/// The content of a small file.
pub fn read(transport: &dyn Transport, file: &str) -> Result<Vec<u8>, Error> {
    let request = Request::new(Method::Get, format!("/api/2.0/fs/files{}", path(file)));
    transport.send(&request).map(|reply| reply.body)
}

/// The request that puts a local file there, replacing what is there. Folders are made as needed.
#[must_use]
pub fn put(local: &Path, file: &str) -> Request {
    Request::new(Method::Put, format!("/api/2.0/fs/files{}", path(file)))
        .query("overwrite", "true")
        .file(local)
}

/// Uploads a local file, replacing what is there. Folders are made as needed.
pub fn upload(transport: &dyn Transport, local: &Path, file: &str) -> Result<(), Error> {
    transport.send(&put(local, file)).map(drop)
}
