//! `/outputs/{task_run_id}/{cell}/{output}`: HTML output of a notebook, for the frame that shows it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::response::{Html, IntoResponse};
use serde_json::Value;

use super::cells::{Notebook, Output};
use super::error_page::ErrorPage;
use super::output::document;
use crate::call::on_disk;
use crate::runner::outcome::read_events;
use crate::state::App;

/// User data: it may style itself, and run nothing. `sandbox` also applies when it is opened in a tab of its own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
);

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((task_run_id, cell, output)): Path<(i64, usize, usize)>,
) -> Result<impl IntoResponse, ErrorPage> {
    let found = on_disk(&app, move |app| {
        let events = app.task_run_dir(task_run_id).join("events.jsonl");
        Ok(html_of(&Notebook::of(read_events(&events)), cell, output))
    })
    .await?;
    let Some(html) = found else {
        let text = format!("Task run {task_run_id} has no such output.");
        return Err(ErrorPage::absent("Output not found", &text, ("Runs", "/")));
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    Ok((headers, Html(document(&html))))
}

fn html_of(notebook: &Notebook, cell: usize, output: usize) -> Option<String> {
    let cell = notebook.cells.iter().find(|known| known.index == cell)?;
    match cell.outputs.get(output)? {
        Output::Display(Value::Object(data)) => Some(data.get("text/html")?.as_str()?.to_owned()),
        _ => None,
    }
}
