//! `runs/export`: an executed notebook as one HTML file.

use axum::Json;
use serde::Deserialize;
use serde_json::json;

use super::runs::one_task;
use crate::call::{Call, QueryString, Reply, on_disk};
use crate::error::ApiError;
use crate::pages;

#[derive(Deserialize)]
pub(super) struct Export {
    run_id: i64,
}

/// A notebook has one view. (`views_to_export` selects dashboards, which do not exist here.)
pub(super) async fn export(call: Call, QueryString(query): QueryString<Export>) -> Reply {
    let (_, task) = one_task(&call, query.run_id, "Exporting")?;
    if task.settings.notebook_task.is_none() {
        return Err(ApiError::invalid(format!(
            "Run {} is not a notebook: only executed notebooks can be exported",
            query.run_id
        )));
    }
    let name = task.settings.notebook_path().rsplit('/').next();
    let view = json!({"type": "NOTEBOOK", "name": name.unwrap_or_default()});
    let content = on_disk(&call.app, move |app| {
        Ok(pages::executed_notebook(app, task))
    })
    .await?;
    let mut view = view;
    view["content"] = content.into();
    Ok(Json(json!({"views": [view]})))
}
