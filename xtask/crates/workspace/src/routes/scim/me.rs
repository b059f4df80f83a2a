//! `Me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};

use super::principals::user_view;
use crate::caller::Caller;
use crate::state::App;

/// The header carries the workspace's id. A service principal appears as a user named by its application id, as on
/// Databricks.
pub(super) async fn me(State(app): State<Arc<App>>, caller: Caller) -> impl IntoResponse {
    (
        AppendHeaders([("X-Databricks-Org-Id", app.identity.workspace_id.clone())]),
        Json(user_view(&app, &caller.who)),
    )
}
