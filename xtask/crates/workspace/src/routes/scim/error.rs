//! Errors in SCIM's format (RFC 7644, section 3.12); clients read `detail` and `status`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::ApiError;
use crate::store::StoreError;

pub(super) struct ScimError(ApiError);

impl ScimError {
    pub(super) fn absent(kind: &str, id: &str) -> ScimError {
        ScimError(ApiError::not_found(format!(
            "{kind} with id {} not found.",
            id.escape_debug()
        )))
    }

    pub(super) fn taken(kind: &str, name: &str) -> ScimError {
        ScimError(ApiError::new(
            StatusCode::CONFLICT,
            "uniqueness",
            format!("{kind} with name {} already exists.", name.escape_debug()),
        ))
    }

    pub(super) fn invalid(message: impl Into<String>) -> ScimError {
        ScimError(ApiError::bad_request("invalidValue", message))
    }
}

impl From<ApiError> for ScimError {
    fn from(error: ApiError) -> ScimError {
        ScimError(error)
    }
}

impl From<StoreError> for ScimError {
    fn from(error: StoreError) -> ScimError {
        ScimError(error.into())
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let ScimError(error) = self;
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "detail": error.message,
            "status": error.status.as_u16().to_string(),
        });
        if error.error_code.starts_with("invalid") || error.error_code == "uniqueness" {
            body["scimType"] = error.error_code.into();
        }
        (error.status, Json(body)).into_response()
    }
}
