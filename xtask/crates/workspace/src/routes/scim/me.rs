//! Who the caller is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};

use super::principals::user_view;
use crate::caller::Caller;
use crate::state::App;

/// Clients learn the workspace's id from the header. A service principal looks like a user whose name is its
/// application id, as on Databricks.
pub(super) async fn me(State(app): State<Arc<App>>, caller: Caller) -> impl IntoResponse {
    (
        AppendHeaders([("X-Databricks-Org-Id", app.identity.workspace_id.clone())]),
        Json(user_view(&app, &caller.who)),
    )
}
