//! The pages a person looks at: the list of runs, and a run with its executed notebooks.

mod addresses;
mod cells;
mod export;
mod layout;
mod output;
mod run;
mod run_list;
mod task;

pub(crate) use export::executed_notebook;

use std::sync::Arc;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::state::App;

/// The pages `/` and `/jobs/{job_id}/runs/{run_id}`, with their style and script.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(addresses::router())
        .route("/", get(run_list::show))
        .route("/jobs/{job_id}/runs/{run_id}", get(run::show))
        .route(
            layout::STYLE_PATH,
            get(|| async { asset("text/css; charset=utf-8", layout::STYLE) }),
        )
        .route(
            layout::SCRIPT_PATH,
            get(|| async {
                asset(
                    "text/javascript; charset=utf-8",
                    include_str!("pages/assets/workspace.js"),
                )
            }),
        )
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}
