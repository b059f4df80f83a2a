//! The layer that records and leaves out routes, for the conformance test.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use super::unknown;
use crate::witness::Witness;

pub(super) async fn watch(witness: &Witness, request: Request, next: Next) -> Response {
    let Some(matched) = request.extensions().get::<MatchedPath>() else {
        return next.run(request).await;
    };
    // All calls to MLflow share one route here; record their paths.
    let path = match matched.as_str().contains("mlflow/{*") {
        true => request.uri().path(),
        false => matched.as_str(),
    };
    let route = format!("{} {path}", request.method());
    let response = if witness.without.contains(&route) {
        let (parts, body) = request.into_parts();
        unknown(parts.method, parts.uri, parts.headers, body).await
    } else {
        next.run(request).await
    };
    witness.note(&route, response.status().as_u16());
    response
}
