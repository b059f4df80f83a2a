//! The pages a person looks at: the list of runs, and a run with its executed notebooks.

use std::sync::Arc;

use axum::Router;

use crate::state::App;

/// The pages `/` and `/jobs/{job_id}/runs/{run_id}`.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
