//! Errors of the REST API: a status, a code and a message.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::jobs::Invalid;
use crate::store::StoreError;

/// Clients get `{"error_code", "message"}`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error_code}: {message}")]
pub struct ApiError {
    /// 503 and 429 only where a retry helps: clients then retry for minutes.
    pub status: StatusCode,
    /// Databricks' code, such as `RESOURCE_DOES_NOT_EXIST`.
    pub error_code: String,
    pub message: String,
}

impl ApiError {
    pub fn new(status: StatusCode, error_code: &str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            error_code: error_code.to_owned(),
            message: message.into(),
        }
    }

    pub fn bad_request(error_code: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, error_code, message)
    }

    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", message)
    }

    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::bad_request("INVALID_PARAMETER_VALUE", message)
    }

    pub fn already_exists(message: impl Into<String>) -> ApiError {
        ApiError::bad_request("RESOURCE_ALREADY_EXISTS", message)
    }

    pub fn unauthenticated() -> ApiError {
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "not authenticated; `cargo xtask workspace env` prints the variables for clients",
        )
    }

    pub fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
    }

    /// 501: known, but not supported by a local workspace.
    pub fn not_implemented(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", message)
    }

    /// An error of the file system: 507 for a full disk, 400 for a path that cannot exist, else 500.
    pub fn disk(what: &str, cause: &std::io::Error) -> ApiError {
        match cause.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ApiError::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "RESOURCE_EXHAUSTED",
                format!("{what}: the disk is full; make room and try again"),
            ),
            // cap-std reports a symlink that leads out of the tree without an errno.
            std::io::ErrorKind::PermissionDenied if cause.raw_os_error().is_none() => {
                ApiError::forbidden(format!("{what}: a symlink leads out of the workspace"))
            }
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::DirectoryNotEmpty => {
                ApiError::already_exists(format!("{what}: another object has this path"))
            }
            std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::NotFound
            | std::io::ErrorKind::InvalidFilename => {
                ApiError::invalid(format!("{what}: no such path"))
            }
            _ if cause.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                ApiError::invalid(format!("{what}: symlink loop"))
            }
            _ => ApiError::internal(what, cause),
        }
    }

    /// 500. The cause is logged; the client gets `message`.
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
            "the workspace's database failed; see its log (server.log)",
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
