//! Uploads: streamed to disk, and moved into place when complete.

use std::io::ErrorKind;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use super::place::Place;
use crate::access::Right;
use crate::call::{Call, QueryString};
use crate::error::ApiError;

/// Databricks' limit, bytes.
const LARGEST_FILE: u64 = 5 << 30;

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    #[serde(default)]
    overwrite: bool,
}

pub(super) async fn upload(
    call: Call,
    Path(path): Path<String>,
    QueryString(query): QueryString<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let place = Place::resolve(&call, &path, Right::Write)?;
    if place.is_root() {
        return Err(ApiError::invalid(format!("{place} is a folder.")));
    }
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > LARGEST_FILE) {
        return Err(too_large(&place));
    }
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot write {place}"), &error);
    let tree = place.tree(&call);
    let mut upload = tree.begin().map_err(failed)?;
    let mut file = tokio::fs::File::from_std(upload.take_file().map_err(failed)?);
    let mut chunks = body.into_data_stream();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::bad_request(
                "MALFORMED_REQUEST",
                format!("the upload of {place} was interrupted: {error}"),
            )
        })?;
        length += chunk.len() as u64;
        if length > LARGEST_FILE {
            return Err(too_large(&place));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    drop(file);
    if let Some(parent) = place.path().parent() {
        tree.create_dir_all(&parent).map_err(failed)?;
    }
    upload
        .place(place.path(), query.overwrite)
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => ApiError::new(
                StatusCode::CONFLICT,
                "ALREADY_EXISTS",
                format!("{place} already exists."),
            ),
            ErrorKind::IsADirectory => ApiError::invalid(format!("{place} is a folder.")),
            _ => failed(error),
        })?;
    Ok(StatusCode::NO_CONTENT)
}

fn too_large(place: &Place) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "MAX_FILE_SIZE_EXCEEDED",
        format!("{place} would be larger than {LARGEST_FILE} bytes."),
    )
}
