//! Exports of files and notebooks.

use std::io::Read as _;

use axum::Json;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::jupyter::Jupyter;
use super::read::absent;
use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::state::App;

/// Format of a notebook; files are exported unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// With marker comments.
    Source,
    Jupyter,
    /// As imported.
    AsImported,
}

impl Format {
    /// The API's name of the format.
    pub(super) fn parse(name: Option<&str>) -> Result<Format, ApiError> {
        match name.unwrap_or("SOURCE") {
            "SOURCE" => Ok(Format::Source),
            "JUPYTER" => Ok(Format::Jupyter),
            "AUTO" | "RAW" => Ok(Format::AsImported),
            other => Err(ApiError::not_implemented(format!(
                "the local workspace does not export format {other}: it has SOURCE, JUPYTER, AUTO and RAW"
            ))),
        }
    }
}

#[derive(Debug)]
pub(super) struct Content {
    bytes: Vec<u8>,
    extension: &'static str,
}

impl Content {
    /// Never rendered as a page: a job's file must not act in the reader's name.
    pub(super) fn into_download(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "application/octet-stream"),
            (CONTENT_SECURITY_POLICY, "sandbox"),
        ];
        (headers, self.bytes).into_response()
    }

    pub(super) fn into_json(self) -> Response {
        Json(serde_json::json!({"content": STANDARD.encode(&self.bytes), "file_type": self.extension}))
            .into_response()
    }
}

pub(super) fn file(app: &App, path: &WorkspacePath, format: Format) -> Result<Content, ApiError> {
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
    match app.store.object(&path.key())?.and_then(|row| row.language) {
        Some(language) => notebook(bytes, &language, path.relative().name(), format),
        None => Ok(Content {
            bytes,
            extension: "file",
        }),
    }
}

fn notebook(
    bytes: Vec<u8>,
    language: &str,
    name: &str,
    format: Format,
) -> Result<Content, ApiError> {
    let is_jupyter = Jupyter::is(&bytes);
    let bytes = match (is_jupyter, format) {
        (true, Format::Source) => {
            let notebook = Jupyter::parse(&bytes).map_err(|why| {
                ApiError::invalid(format!("the notebook {name} cannot be read: {why}"))
            })?;
            notebook.to_source().into_bytes()
        }
        (false, Format::Jupyter) => {
            let source = String::from_utf8_lossy(&bytes);
            Jupyter::from_source(&source, language, name).into_bytes()
        }
        _ => bytes,
    };
    let extension = match (Jupyter::is(&bytes), language) {
        (true, _) => "ipynb",
        (false, "SQL") => "sql",
        (false, "SCALA") => "scala",
        (false, "R") => "r",
        (false, _) => "py",
    };
    Ok(Content { bytes, extension })
}

/// For `return_export_info`.
pub(super) fn imported_format(app: &App, path: &WorkspacePath) -> std::io::Result<&'static str> {
    // The first line decides, after a few blanks at most.
    let mut start = Vec::new();
    app.workspace_files
        .open_file(path.relative())?
        .take(512)
        .read_to_end(&mut start)?;
    Ok(if Jupyter::is(&start) {
        "JUPYTER"
    } else {
        "SOURCE"
    })
}
