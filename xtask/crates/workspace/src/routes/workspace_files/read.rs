//! Reading the workspace tree.

use std::io::Read as _;

use axum::Json;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::state::App;
use crate::store::{ObjectRow, ObjectType, StoreError};

/// What the API says about an object.
pub(super) fn status(app: &App, path: &WorkspacePath) -> Result<Value, ApiError> {
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot look at {path}"), &error);
    let found = app
        .workspace_files
        .metadata(path.relative())
        .map_err(failed)?
        .ok_or_else(|| absent(path))?;
    describe(app, path, found.is_dir(), found.len())
}

/// The objects of a folder; of a file, itself.
pub(super) fn list(app: &App, path: &WorkspacePath) -> Result<Vec<Value>, ApiError> {
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot list {path}"), &error);
    let found = app
        .workspace_files
        .metadata(path.relative())
        .map_err(failed)?
        .ok_or_else(|| absent(path))?;
    if !found.is_dir() {
        return Ok(vec![describe(app, path, false, found.len())?]);
    }
    let entries = app.workspace_files.list(path.relative()).map_err(failed)?;
    entries
        .iter()
        .map(|entry| describe(app, &path.join(&entry.name), entry.is_dir, entry.size))
        .collect()
}

fn describe(app: &App, path: &WorkspacePath, is_dir: bool, size: u64) -> Result<Value, ApiError> {
    let row = row(app, path, is_dir)?;
    let mut object = json!({
        "object_type": row.object_type.as_str(),
        "path": path.to_string(),
        "object_id": row.object_id,
        "resource_id": row.object_id.to_string(),
    });
    if row.object_type != ObjectType::Directory {
        object["created_at"] = row.created_at.into();
        object["modified_at"] = row.modified_at.into();
    }
    if row.object_type == ObjectType::File {
        object["size"] = size.into();
    }
    if let Some(language) = row.language {
        object["language"] = language.into();
    }
    Ok(object)
}

/// The row of what is on disk. Folders, and files that a job wrote, get theirs when first asked for.
fn row(app: &App, path: &WorkspacePath, is_dir: bool) -> Result<ObjectRow, ApiError> {
    match app.store.object(&path.key())? {
        Some(row) if (row.object_type == ObjectType::Directory) == is_dir => Ok(row),
        _ => {
            let object_type = if is_dir {
                ObjectType::Directory
            } else {
                ObjectType::File
            };
            Ok(app
                .store
                .put_object(&path.key(), object_type, None, || Ok::<(), StoreError>(()))?)
        }
    }
}

/// Content of a file or notebook.
pub(super) struct Content {
    bytes: Vec<u8>,
    extension: &'static str,
}

impl Content {
    /// The bytes. They are never shown as a page: what a job wrote must not act in the reader's name.
    pub(super) fn into_download(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "application/octet-stream"),
            (CONTENT_SECURITY_POLICY, "sandbox"),
        ];
        (headers, self.bytes).into_response()
    }

    /// The bytes in base64 within JSON.
    pub(super) fn into_json(self) -> Response {
        Json(json!({"content": STANDARD.encode(&self.bytes), "file_type": self.extension}))
            .into_response()
    }
}

/// Reads a file or notebook.
pub(super) fn file(app: &App, path: &WorkspacePath) -> Result<Content, ApiError> {
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot read {path}"), &error);
    let found = app
        .workspace_files
        .metadata(path.relative())
        .map_err(failed)?
        .ok_or_else(|| absent(path))?;
    if found.is_dir() {
        return Err(ApiError::invalid(format!(
            "({path}) is a folder; only files and notebooks can be exported."
        )));
    }
    let mut bytes = Vec::new();
    app.workspace_files
        .open_file(path.relative())
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(failed)?;
    let language = app.store.object(&path.key())?.and_then(|row| row.language);
    let extension = match language.as_deref() {
        Some("PYTHON") => "py",
        Some("SQL") => "sql",
        Some("SCALA") => "scala",
        Some("R") => "r",
        _ => "file",
    };
    Ok(Content { bytes, extension })
}

/// The error for a path where nothing is, in the words that clients look for.
pub(super) fn absent(path: &WorkspacePath) -> ApiError {
    ApiError::not_found(format!("Path ({path}) doesn't exist."))
}
