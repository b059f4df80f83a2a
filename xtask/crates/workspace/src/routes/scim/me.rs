//! `Me`.

use axum::Json;
use axum::response::{AppendHeaders, IntoResponse};

use super::principals::view_as;
use crate::call::Call;
use crate::store::PrincipalKind;

/// The header carries the workspace's id. A service principal appears as a user named by its application id, as on
/// Databricks.
pub(super) async fn me(call: Call) -> impl IntoResponse {
    (
        AppendHeaders([("X-Databricks-Org-Id", call.identity.workspace_id.clone())]),
        Json(view_as(PrincipalKind::User, &call, &call.caller.who)),
    )
}
