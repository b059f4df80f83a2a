//! One call of the API: who makes it, and its query and body, with our error format.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::App;

pub(crate) type Routes = Router<Arc<App>>;

/// What a handler answers.
pub(crate) type Reply = Result<Json<Value>, ApiError>;

/// The workspace, and the identity that uses it: what decides on rights takes both.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
}

impl Deref for Call {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Call, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Call {
            app: app.clone(),
            caller,
        })
    }
}

/// A JSON body, whatever its content type; an empty body reads as `{}`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            ApiError::new(error.status(), "MALFORMED_REQUEST", error.body_text())
        })?;
        let json: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(json).map(JsonBody).map_err(|error| {
            let why = missing_field(&error.to_string())
                .unwrap_or_else(|| format!("invalid request body: {error}"));
            ApiError::bad_request("MALFORMED_REQUEST", why)
        })
    }
}

pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await;
        bytes
            .map(RawBody)
            .map_err(|error| ApiError::new(error.status(), "MALFORMED_REQUEST", error.body_text()))
    }
}

pub(crate) struct QueryString<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryString<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(QueryString(query)),
            Err(error) => Err(unreadable(&error.body_text())),
        }
    }
}

/// Databricks' message for a missing field.
fn missing_field(why: &str) -> Option<String> {
    let (_, rest) = why.split_once("missing field `")?;
    let (name, _) = rest.split_once('`')?;
    Some(format!("Missing required field: {name}"))
}

/// 400 for an invalid query, without the parser's own wording.
fn unreadable(why: &str) -> ApiError {
    ApiError::invalid(missing_field(why).unwrap_or_else(|| {
        let why = why.trim_start_matches("Failed to deserialize query string: ");
        format!("Invalid query: {why}")
    }))
}

/// Runs blocking disk access on a thread for it.
pub(crate) async fn on_disk<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let app = app.clone();
    match tokio::task::spawn_blocking(move || work(&app)).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::internal("the request ended unexpectedly", &error)),
    }
}
