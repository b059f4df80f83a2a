//! The Files API for volumes (`/Volumes/…`) and model versions (`/Models/…`).

mod download;
mod place;
mod upload;

use std::io::ErrorKind;

use axum::Json;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::StatusCode;
use axum::routing::{post, put};
use serde::Deserialize;
use serde_json::{Value, json};

use self::place::Place;
use crate::access::Right;
use crate::call::{Call, QueryString, Reply, Routes, on_disk};
use crate::error::ApiError;

/// Entries in one reply.
const ENTRIES_PER_PAGE: usize = 1000;

pub(super) fn router() -> Routes {
    Routes::new()
        .route(
            "/api/2.0/fs/files/{*path}",
            put(upload::upload)
                .get(download::download)
                .delete(delete_file),
        )
        .route(
            "/api/2.0/fs/directories/{*path}",
            put(create_folder)
                .get(list)
                .delete(delete_folder)
                .head(head_folder),
        )
        .route(
            "/api/2.0/fs/create-download-url",
            post(no_urls).get(no_urls),
        )
        .route("/api/2.0/fs/create-upload-url", post(no_urls))
        .layer(DefaultBodyLimit::disable())
}

/// Without presigned URLs, clients transfer the files through this API.
async fn no_urls() -> ApiError {
    ApiError::not_implemented("the local workspace has no presigned URLs; use /api/2.0/fs/files")
}

async fn create_folder(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    let place = Place::resolve(&call, &path, Right::Write)?;
    on_disk(&call.app, move |app| {
        place
            .tree(app)
            .create_dir_all(place.path())
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                    ApiError::already_exists(format!("{place} or a folder above it is a file."))
                }
                _ => ApiError::disk(&format!("cannot create {place}"), &error),
            })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn head_folder(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    let place = Place::resolve(&call, &path, Right::Read)?;
    let is_folder = on_disk(&call.app, move |app| Ok(place.metadata(app)?.is_dir())).await?;
    if is_folder {
        Ok(StatusCode::OK)
    } else {
        Err(ApiError::not_found("The path is a file."))
    }
}

#[derive(Deserialize)]
struct ListQuery {
    page_size: Option<usize>,
    page_token: Option<String>,
}

async fn list(
    call: Call,
    Path(path): Path<String>,
    QueryString(query): QueryString<ListQuery>,
) -> Reply {
    let place = Place::resolve(&call, &path, Right::Read)?;
    let size = query
        .page_size
        .filter(|size| *size > 0)
        .unwrap_or(ENTRIES_PER_PAGE)
        .min(ENTRIES_PER_PAGE);
    on_disk(&call.app, move |app| {
        if !place.metadata(app)?.is_dir() {
            return Err(ApiError::invalid(format!("{place} is a file.")));
        }
        let entries = place
            .tree(app)
            .list(place.path())
            .map_err(|error| ApiError::disk(&format!("cannot list {place}"), &error))?;
        // Names are sorted, so the last one is the page token.
        let after = query.page_token.unwrap_or_default();
        let mut page: Vec<_> = entries
            .into_iter()
            .filter(|entry| after.is_empty() || entry.name > after)
            .collect();
        let more = page.len() > size;
        page.truncate(size);
        let contents: Vec<Value> = page
            .iter()
            .map(|entry| {
                let mut item = json!({
                    "path": format!("{place}/{}", entry.name),
                    "name": entry.name,
                    "is_directory": entry.is_dir,
                    "last_modified": entry.modified_at,
                });
                if !entry.is_dir {
                    item["file_size"] = entry.size.into();
                }
                item
            })
            .collect();
        let mut body = json!({"contents": contents});
        if let (true, Some(last)) = (more, page.last()) {
            body["next_page_token"] = last.name.as_str().into();
        }
        Ok(Json(body))
    })
    .await
}

async fn delete_file(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    delete(call, &path, false).await
}

async fn delete_folder(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    delete(call, &path, true).await
}

async fn delete(call: Call, path: &str, folder: bool) -> Result<StatusCode, ApiError> {
    let place = Place::resolve(&call, path, Right::Write)?;
    on_disk(&call.app, move |app| {
        if place.is_root() {
            return Err(ApiError::invalid(format!(
                "{place} cannot be deleted by itself."
            )));
        }
        if place.metadata(app)?.is_dir() != folder {
            return Err(ApiError::invalid(format!(
                "{place} is {}.",
                if folder { "a file" } else { "a folder" }
            )));
        }
        place
            .tree(app)
            .remove(place.path(), false)
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => place.absent(),
                ErrorKind::DirectoryNotEmpty => ApiError::bad_request(
                    "DIRECTORY_NOT_EMPTY",
                    format!("The folder {place} is not empty."),
                ),
                _ => ApiError::disk(&format!("cannot delete {place}"), &error),
            })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
