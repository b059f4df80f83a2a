//! `runs/export`: an executed notebook as one HTML file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::runs::one_task;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{QueryString, on_disk};
use crate::pages;
use crate::state::App;

#[derive(Deserialize)]
pub(super) struct Export {
    run_id: i64,
}

/// A notebook has one view. (`views_to_export` selects dashboards, which do not exist here.)
pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    QueryString(query): QueryString<Export>,
) -> Result<Json<Value>, ApiError> {
    let (_, task) = one_task(&app, &caller, query.run_id, "Exporting")?;
    if task.settings.notebook_task.is_none() {
        return Err(ApiError::invalid(format!(
            "Run {} is not a notebook: only executed notebooks can be exported",
            query.run_id
        )));
    }
    let name = task.settings.notebook_path().rsplit('/').next();
    let view = json!({"type": "NOTEBOOK", "name": name.unwrap_or_default()});
    let content = on_disk(&app, move |app| Ok(pages::executed_notebook(app, task))).await?;
    let mut view = view;
    view["content"] = content.into();
    Ok(Json(json!({"views": [view]})))
}
