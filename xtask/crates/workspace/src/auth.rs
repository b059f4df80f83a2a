//! Who may ask for what. One layer around everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;
use crate::state::App;

/// Sign-in codes that were handed out and not used yet.
#[derive(Debug, Default)]
pub struct SignInCodes(#[expect(dead_code, reason = "filled next")] Mutex<HashMap<String, i64>>);

/// Refuses whoever does not show the token.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let bearer = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    match bearer {
        Some(token) if app.token.matches(token) => {
            app.activity.touch();
            next.run(request).await
        }
        _ => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "no valid token",
        )
        .into_response(),
    }
}
