//! `/ml/experiments`: the experiments, with links to MLflow's pages.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::html;

use super::addresses::path;
use super::error_page::Reply;
use super::formatting::time;
use super::layout::{Room, empty, page};
use super::mlflow_state::{self, TokenQuery};
use crate::mlflow::reading;
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>, Query(query): Query<TokenQuery>) -> Reply {
    if let Some(not_yet) = mlflow_state::not_ready(&app, Room::Experiments, "Experiments") {
        return Ok(not_yet);
    }
    let listed = reading::experiments(&app, &query.from).await?;
    let content = html! {
        h1 { "Experiments" }
        p.dim { "Runs with their parameters, metrics and files are on MLflow's pages." }
        @if listed.rows.is_empty() { (empty("No experiments yet.", "cargo xtask test")) } @else {
            div.wide { table.list {
                caption.unseen { "Experiments" }
                thead { tr { th scope="col" { "Experiment" } th scope="col" { "Changed" } } }
                tbody { @for experiment in &listed.rows {
                    tr {
                        th scope="row" { a href=(path(&["ml", "experiments", &experiment.experiment_id])) { (experiment.name) } }
                        td.dim { @if let Some(at) = experiment.changed_at { (time(at)) } }
                    }
                } }
            } }
            (mlflow_state::more(&listed.next, "/ml/experiments?"))
        }
    };
    Ok(page(&app, Room::Experiments, "Experiments", &content))
}
