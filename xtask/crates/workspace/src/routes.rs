//! All routes.

mod compute;
mod files_api;
mod jobs;
mod kernel;
mod local;
mod permissions;
mod scim;
mod secrets;
mod tokens;
pub mod unity_catalog;
mod well_known;
mod workspace_files;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use tower_http::trace::TraceLayer;
use xtask_local_server::browser::asks_for_a_page;

use crate::call::JsonBody;
use crate::error::ApiError;
use crate::state::App;
use crate::{auth, mlflow, pages};

/// Bytes of a request to an unknown route that are read, to keep the connection.
const UNREAD: usize = 1 << 20;

/// All routes behind the authentication layer.
pub fn router(app: Arc<App>) -> Router {
    unguarded()
        .layer(middleware::from_fn_with_state(app.clone(), conformance))
        .layer(middleware::from_fn_with_state(app.clone(), auth::guard))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(()),
        )
        .with_state(app)
}

/// Records and leaves out routes, for the conformance test.
async fn conformance(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let (Some(recorder), Some(matched)) = (&app.config.conformance, matched) else {
        return next.run(request).await;
    };
    // All calls to MLflow share one route here; record their paths.
    let path = match matched.as_str().contains("mlflow/{*") {
        true => request.uri().path(),
        false => matched.as_str(),
    };
    let route = format!("{} {path}", request.method());
    let response = if recorder.without.contains(&route) {
        let (parts, body) = request.into_parts();
        unknown(parts.method, parts.uri, parts.headers, body).await
    } else {
        next.run(request).await
    };
    recorder.note(&route, response.status().as_u16());
    response
}

/// Without the layer; public for a test that enumerates them.
#[doc(hidden)]
pub fn unguarded() -> Router<Arc<App>> {
    Router::new()
        .merge(well_known::router())
        .route("/telemetry-ext", post(telemetry))
        .merge(scim::router())
        .merge(tokens::router())
        .merge(workspace_files::router())
        .merge(jobs::router())
        .merge(permissions::router())
        .merge(secrets::router())
        .merge(compute::router())
        .merge(unity_catalog::router())
        .merge(files_api::router())
        .merge(kernel::router())
        .merge(local::router())
        .merge(mlflow::router())
        .merge(pages::router().route_layer(middleware::from_fn(auth::admins_only)))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
}

/// Drops the CLI's usage records.
async fn telemetry(JsonBody(body): JsonBody<Value>) -> Json<Value> {
    let records = ["protoLogs", "items"]
        .iter()
        .filter_map(|key| body[*key].as_array())
        .map(Vec::len)
        .sum::<usize>();
    Json(json!({"errors": null, "numProtoSuccess": records}))
}

/// MLflow's clients fall back to older routes on exactly this 404. All other unknown routes answer 501, because clients
/// retry a 503 for minutes.
async fn unknown(method: Method, uri: Uri, headers: HeaderMap, body: Body) -> Response {
    // A reply before the end of the request would close the client's connection, with the requests queued on it.
    drop(axum::body::to_bytes(body, UNREAD).await);
    let path = uri.path();
    let name = format!("{method} {path}");
    tracing::info!("unknown route: {name}");
    let mut segments = path.split('/').skip(1);
    let is_mlflow =
        matches!(segments.next(), Some("api" | "ajax-api")) && segments.nth(1) == Some("mlflow");
    if is_mlflow {
        return ApiError::new(
            StatusCode::NOT_FOUND,
            "ENDPOINT_NOT_FOUND",
            format!("No API found for '{name}'"),
        )
        .into_response();
    }
    if asks_for_a_page(&method, &headers) {
        return pages::no_such_page(path);
    }
    ApiError::not_implemented(format!("the local workspace does not support {name}"))
        .into_response()
}

/// Logs method and path: a query may contain a sign-in code, and headers contain tokens.
fn span(request: &axum::extract::Request) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}
