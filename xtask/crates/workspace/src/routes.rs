//! The routes of the workspace, composed.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::{Router, middleware};

use crate::error::ApiError;
use crate::state::App;
use crate::{auth, mlflow, pages};

/// Everything the workspace answers, behind the one layer that decides who may ask.
pub fn router(app: Arc<App>) -> Router {
    open_routes()
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(app.clone(), auth::guard))
        .with_state(app)
}

/// The routes without the layer.
fn open_routes() -> Router<Arc<App>> {
    Router::new().merge(mlflow::router()).merge(pages::router())
}

/// Names a route that we do not have. MLflow's clients fall back to older routes on exactly this 404; for all
/// others 501, because clients repeat a 503 for minutes.
async fn unknown(method: Method, uri: Uri) -> ApiError {
    let path = uri.path();
    let name = format!("{method} {path}");
    if path.starts_with("/api/") && path.split('/').nth(3) == Some("mlflow") {
        return ApiError::new(
            StatusCode::NOT_FOUND,
            "ENDPOINT_NOT_FOUND",
            format!("No API found for '{name}'"),
        );
    }
    ApiError::not_implemented(format!("the local workspace does not answer {name}"))
}
