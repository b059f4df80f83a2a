//! Imports, folders and deletion in the workspace tree.

use std::borrow::Cow;
use std::io::ErrorKind;

use axum::http::StatusCode;

use super::jupyter::{self, Jupyter};
use super::notebook::{self, Notebook};
use super::read::absent;
use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::state::App;
use crate::store::ObjectType;

pub(super) struct Import {
    pub(super) path: WorkspacePath,
    pub(super) kind: Kind,
    pub(super) overwrite: bool,
}

/// Whether the file becomes a notebook.
pub(super) enum Kind {
    /// By extension and first line; see [`notebook::detect`].
    ByContent,
    File,
    /// A notebook in source format in this language, under exactly this path.
    Source(String),
    /// A Jupyter notebook, under exactly this path.
    Jupyter,
}

/// Writes a file or notebook into an existing folder, completely or not at all.
pub(super) fn import(app: &App, request: &Import, content: &[u8]) -> Result<(), ApiError> {
    let Placed {
        path,
        language,
        content,
    } = Placed::of(request, content)?;
    let object_type = if language.is_some() {
        ObjectType::Notebook
    } else {
        ObjectType::File
    };
    check_place(app, &path, object_type, request.overwrite)?;
    let was_there = app.store.object(&path.key())?.is_some();
    let mut is_written = false;
    let put = app
        .store
        .put_object(&path.key(), object_type, language, || {
            app.workspace_files
                .write(path.relative(), &content, request.overwrite)
                .map_err(|error| match error.kind() {
                    ErrorKind::AlreadyExists => taken(&path, object_type),
                    _ => ApiError::disk(&format!("cannot write {path}"), &error),
                })?;
            is_written = true;
            Ok::<_, ApiError>(())
        });
    // On a full disk the file may fit and its row not.
    if put.is_err() && is_written && !was_there {
        let _ = app.workspace_files.remove(path.relative(), false);
    }
    put?;
    Ok(())
}

/// Path, language of a notebook, and stored content.
struct Placed<'r> {
    path: WorkspacePath,
    language: Option<&'r str>,
    content: Cow<'r, [u8]>,
}

impl<'r> Placed<'r> {
    fn of(request: &'r Import, content: &'r [u8]) -> Result<Placed<'r>, ApiError> {
        let path = request.path.clone();
        let (path, language, content) = match &request.kind {
            Kind::Source(language) => (
                path,
                Some(language.as_str()),
                with_header(content, language),
            ),
            Kind::Jupyter => {
                let notebook = Jupyter::parse(content).map_err(|why| {
                    ApiError::invalid(format!("({path}) is not a valid Jupyter notebook: {why}"))
                })?;
                (path, Some(notebook.language()), content.into())
            }
            Kind::ByContent => match notebook::detect(request.path.relative().name(), content) {
                Some(Notebook { name, language }) => {
                    (path.with_name(name), Some(language), content.into())
                }
                None => (path, None, content.into()),
            },
            Kind::File => (path, None, content.into()),
        };
        Ok(Placed {
            path,
            language,
            content,
        })
    }
}

/// Adds the header of source format, so that a plain script becomes a notebook of one cell.
fn with_header<'c>(content: &'c [u8], language: &str) -> Cow<'c, [u8]> {
    let header = jupyter::header(language);
    if content.starts_with(header.as_bytes()) || Jupyter::is(content) {
        return content.into();
    }
    [header.as_bytes(), b"\n", content].concat().into()
}

/// Refuses a missing folder, and a path that is taken by another kind of object.
fn check_place(
    app: &App,
    path: &WorkspacePath,
    object_type: ObjectType,
    overwrite: bool,
) -> Result<(), ApiError> {
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot read {path}"), &error);
    let parent = path
        .parent()
        .ok_or_else(|| ApiError::invalid("the root is not a file"))?;
    if !app
        .workspace_files
        .metadata(parent.relative())
        .map_err(failed)?
        .is_some_and(|found| found.is_dir())
    {
        return Err(ApiError::not_found(format!(
            "The parent folder ({parent}) does not exist."
        )));
    }
    let Some(found) = app
        .workspace_files
        .metadata(path.relative())
        .map_err(failed)?
    else {
        return Ok(());
    };
    let existing = match app.store.object(&path.key())? {
        _ if found.is_dir() => ObjectType::Directory,
        Some(row) if row.object_type == ObjectType::Notebook => ObjectType::Notebook,
        _ => ObjectType::File,
    };
    if existing != object_type {
        return Err(ApiError::invalid(format!(
            "Requested node type [{}] is different from the existing node type [{}]: Path ({path}) already exists.",
            object_type.as_str(),
            existing.as_str()
        )));
    }
    if overwrite {
        Ok(())
    } else {
        Err(taken(path, object_type))
    }
}

/// The CLI distinguishes them: 409 for files, 400 with this message for notebooks.
fn taken(path: &WorkspacePath, object_type: ObjectType) -> ApiError {
    match object_type {
        ObjectType::Notebook => ApiError::already_exists(format!("Path ({path}) already exists.")),
        _ => ApiError::new(
            StatusCode::CONFLICT,
            "RESOURCE_ALREADY_EXISTS",
            format!("File already exists at ({path})."),
        ),
    }
}

/// Also creates parents; an existing folder is fine.
pub(super) fn make_folder(app: &App, path: &WorkspacePath) -> Result<(), ApiError> {
    app.workspace_files
        .create_dir_all(path.relative())
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => ApiError::already_exists(
                format!("Cannot create folder {path}: a file has this path."),
            ),
            _ => ApiError::disk(&format!("cannot create the folder {path}"), &error),
        })
}

/// A non-empty folder only with `recursive`.
pub(super) fn delete(app: &App, path: &WorkspacePath, recursive: bool) -> Result<(), ApiError> {
    if matches!(path.key().as_str(), "/" | "/Users" | "/Shared") {
        return Err(ApiError::bad_request(
            "DIRECTORY_PROTECTED",
            format!("The folder ({path}) is protected and cannot be deleted."),
        ));
    }
    app.workspace_files
        .remove(path.relative(), recursive)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => absent(path),
            ErrorKind::DirectoryNotEmpty => ApiError::bad_request(
                "DIRECTORY_NOT_EMPTY",
                format!(
                    "Folder ({path}) is not empty; set recursive to delete it with its content."
                ),
            ),
            _ => ApiError::disk(&format!("cannot delete {path}"), &error),
        })?;
    Ok(app.store.forget_objects(&path.key())?)
}
