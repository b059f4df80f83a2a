//! The workspace tree: files, folders and notebooks.

mod body;
mod environment;
mod export;
mod import;
mod jupyter;
mod notebook;
mod read;

use axum::Json;
use axum::extract::{DefaultBodyLimit, Path};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use self::body::ImportBody;
use self::export::Format;
use crate::access::{self, Right};
use crate::call::{Call, JsonBody, QueryString, RawBody, Reply, Routes, on_disk};
use crate::error::ApiError;
use crate::files::WorkspacePath;

/// Bytes; data belongs in volumes.
const LARGEST_FILE: usize = 200 << 20;

pub(super) fn router() -> Routes {
    Routes::new()
        .route("/api/2.0/workspace/get-status", get(get_status))
        .route("/api/2.0/workspace/list", get(list))
        .route("/api/2.0/workspace/mkdirs", post(mkdirs))
        .route("/api/2.0/workspace/export", get(export_object))
        .route("/api/2.0/workspace/import", post(import_object))
        .route("/api/2.0/workspace/delete", post(delete))
        .route(
            "/api/2.0/workspace-files/import-file/{*path}",
            post(import_file),
        )
        .route("/api/2.0/workspace-files/{*path}", get(download))
        .layer(DefaultBodyLimit::max(LARGEST_FILE))
}

#[derive(Deserialize)]
struct PathQuery {
    path: String,
}

#[derive(Deserialize)]
struct StatusQuery {
    path: String,
    #[serde(default)]
    return_export_info: bool,
}

#[derive(Deserialize)]
struct ExportQuery {
    path: String,
    format: Option<String>,
    #[serde(default)]
    direct_download: bool,
}

async fn get_status(call: Call, QueryString(query): QueryString<StatusQuery>) -> Reply {
    let path = WorkspacePath::parse(&query.path)?;
    access::path(&call, &path, Right::Read)?;
    let with_format = query.return_export_info;
    on_disk(&call.app, move |app| read::status(app, &path, with_format))
        .await
        .map(Json)
}

async fn list(call: Call, QueryString(query): QueryString<PathQuery>) -> Reply {
    let path = WorkspacePath::parse(&query.path)?;
    access::path(&call, &path, Right::Read)?;
    let objects = on_disk(&call.app, move |app| read::list(app, &path)).await?;
    Ok(Json(if objects.is_empty() {
        json!({})
    } else {
        json!({"objects": objects})
    }))
}

#[derive(Deserialize)]
struct PathBody {
    path: String,
    #[serde(default)]
    recursive: bool,
}

async fn mkdirs(call: Call, JsonBody(body): JsonBody<PathBody>) -> Reply {
    let path = WorkspacePath::parse(&body.path)?;
    access::path(&call, &path, Right::Write)?;
    on_disk(&call.app, move |app| import::make_folder(app, &path)).await?;
    Ok(Json(json!({})))
}

async fn delete(call: Call, JsonBody(body): JsonBody<PathBody>) -> Reply {
    let path = WorkspacePath::parse(&body.path)?;
    access::path(&call, &path, Right::Write)?;
    on_disk(&call.app, move |app| {
        import::delete(app, &path, body.recursive)
    })
    .await?;
    Ok(Json(json!({})))
}

async fn export_object(
    call: Call,
    QueryString(query): QueryString<ExportQuery>,
) -> Result<Response, ApiError> {
    let path = WorkspacePath::parse(&query.path)?;
    access::path(&call, &path, Right::Read)?;
    let format = Format::parse(query.format.as_deref())?;
    let file = on_disk(&call.app, move |app| export::file(app, &path, format)).await?;
    Ok(if query.direct_download {
        file.into_download()
    } else {
        file.into_json()
    })
}

/// The path arrives as one escaped segment, with or without its leading slash.
async fn download(call: Call, Path(path): Path<String>) -> Result<Response, ApiError> {
    let path = WorkspacePath::parse(&format!("/{path}"))?;
    access::path(&call, &path, Right::Read)?;
    Ok(on_disk(&call.app, move |app| {
        export::file(app, &path, Format::AsImported)
    })
    .await?
    .into_download())
}

#[derive(Deserialize)]
struct ImportQuery {
    #[serde(default)]
    overwrite: bool,
}

async fn import_file(
    call: Call,
    Path(path): Path<String>,
    QueryString(query): QueryString<ImportQuery>,
    RawBody(content): RawBody,
) -> Reply {
    let path = WorkspacePath::parse(&format!("/{path}"))?;
    access::path(&call, &path, Right::Write)?;
    let request = import::Import {
        path,
        kind: import::Kind::ByContent,
        overwrite: query.overwrite,
    };
    on_disk(&call.app, move |app| {
        import::import(app, &request, &content)
    })
    .await?;
    Ok(Json(json!({})))
}

async fn import_object(call: Call, body: ImportBody) -> Reply {
    access::path(&call, &body.import.path, Right::Write)?;
    on_disk(&call.app, move |app| {
        import::import(app, &body.import, &body.content)
    })
    .await?;
    Ok(Json(json!({})))
}
