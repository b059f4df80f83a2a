//! Errors as clients see them: a status, a code and a sentence.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::jobs::Invalid;
use crate::store::StoreError;

/// An error of the REST API. Clients get `{"error_code", "message"}`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error_code}: {message}")]
pub struct ApiError {
    /// HTTP status of the reply. 503 and 429 only where trying again helps, because clients do so for minutes.
    pub status: StatusCode,
    /// Databricks' name of the error, such as `RESOURCE_DOES_NOT_EXIST`.
    pub error_code: String,
    /// What failed, and where it helps what to do.
    pub message: String,
}

impl ApiError {
    /// An error with a status and code of its own.
    pub fn new(status: StatusCode, error_code: &str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            error_code: error_code.to_owned(),
            message: message.into(),
        }
    }

    /// 404 `RESOURCE_DOES_NOT_EXIST`.
    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", message)
    }

    /// 400 `INVALID_PARAMETER_VALUE`.
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
    }

    /// 400 `RESOURCE_ALREADY_EXISTS`.
    pub fn already_exists(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS", message)
    }

    /// 401 `UNAUTHENTICATED`.
    pub fn unauthenticated() -> ApiError {
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "the request carries no valid token; `cargo xtask workspace env` prints what clients need",
        )
    }

    /// 403 `PERMISSION_DENIED`.
    pub fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
    }

    /// 501 `NOT_IMPLEMENTED`: known, but not done by a local workspace.
    pub fn not_implemented(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", message)
    }

    /// What the file system refused: a full disk by name, a path that cannot be as the client's mistake, everything else
    /// as an internal error.
    pub fn disk(what: &str, cause: &std::io::Error) -> ApiError {
        match cause.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ApiError::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "RESOURCE_EXHAUSTED",
                format!("{what}: the disk is full; make room and try again"),
            ),
            // Confinement has no number of the system's: a symlink led out of the tree.
            std::io::ErrorKind::PermissionDenied if cause.raw_os_error().is_none() => {
                ApiError::forbidden(format!("{what}: a symlink leads out of the workspace"))
            }
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::DirectoryNotEmpty => {
                ApiError::already_exists(format!("{what}: something else is in its place"))
            }
            std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::NotFound
            | std::io::ErrorKind::InvalidFilename => {
                ApiError::invalid(format!("{what}: there is no such place"))
            }
            _ if cause.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                ApiError::invalid(format!("{what}: its symlinks go round in a circle"))
            }
            _ => ApiError::internal(what, cause),
        }
    }

    /// 500 `INTERNAL_ERROR`. The cause goes to the log, `message` to the client.
    pub fn internal(message: impl Into<String>, cause: &dyn std::fmt::Display) -> ApiError {
        let message = message.into();
        tracing::error!(%cause, "{message}");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
    }
}

impl From<Invalid> for ApiError {
    fn from(reason: Invalid) -> ApiError {
        ApiError::invalid(reason.0)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        if error.is_full_disk() {
            tracing::error!(%error, "the disk is full");
            return ApiError::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "RESOURCE_EXHAUSTED",
                "the workspace's database cannot be written: the disk is full; make room and try again",
            );
        }
        ApiError::internal(
            "the workspace's database failed; its log (server.log) says why",
            &error,
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(json!({"error_code": self.error_code, "message": self.message})),
        )
            .into_response()
    }
}
