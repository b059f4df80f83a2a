//! Reading the workspace tree.

use serde_json::{Value, json};

use super::export;
use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::state::App;
use crate::store::{ObjectRow, ObjectType, StoreError};

/// Of a notebook, also the import format if requested.
pub(super) fn status(
    app: &App,
    path: &WorkspacePath,
    with_format: bool,
) -> Result<Value, ApiError> {
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot read {path}"), &error);
    let found = app
        .workspace_files
        .metadata(path.relative())
        .map_err(failed)?
        .ok_or_else(|| absent(path))?;
    let mut object = describe(app, path, found.is_dir(), found.len())?;
    if with_format && object["object_type"] == ObjectType::Notebook.as_str() {
        let format = export::imported_format(app, path).map_err(failed)?;
        object["repos_export_format"] = format.into();
    }
    Ok(object)
}

/// A file lists itself.
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

/// The row of an object. Folders, and files written by jobs, get one on first use.
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

/// 404 with the message that clients compare.
pub(super) fn absent(path: &WorkspacePath) -> ApiError {
    ApiError::not_found(format!("Path ({}) doesn't exist.", path.asked()))
}
