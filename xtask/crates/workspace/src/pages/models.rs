//! `/models`: the registered models.

mod chart;
mod files;
mod model;
mod tags;
mod version;

pub(super) use model::{show as show_model, show_own as show_own_model};
pub(super) use version::show as show_version;

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::addresses;
use super::error_page::Reply;
use super::formatting::time;
use super::layout::{Room, empty, page};
use super::mlflow_state;
use crate::mlflow::{self, reading, reading::Model};
use crate::state::App;

/// `?name=taxi&from=…`.
#[derive(Deserialize)]
pub(super) struct ModelsQuery {
    #[serde(default)]
    name: String,
    #[serde(default)]
    from: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, Query(query): Query<ModelsQuery>) -> Reply {
    if let Some(not_yet) = mlflow_state::not_ready(&app, Room::Models, "Models") {
        return Ok(not_yet);
    }
    let listed = reading::models(&app, &query.name, &query.from).await?;
    let searched = !query.name.is_empty();
    let content = html! {
        div.title { h1 { "Models" }
            form.search method="get" action="/models" role="search" {
                label.unseen for="name" { "Name contains" }
                input #name type="search" name="name" value=(query.name) placeholder="Name contains" autocomplete="off";
                button.button type="submit" { "Find" }
            }
        }
        @if listed.rows.is_empty() && searched {
            div.empty { p { "No model has " code { (query.name) } " in its name." } p { a href="/models" { "All models" } } }
        } @else if listed.rows.is_empty() {
            (empty("No models are registered yet.", "cargo xtask test"))
        } @else {
            (table(&listed.rows))
            (mlflow_state::more(&listed.next, &format!("/models?{}&", named(&query.name))))
        }
    };
    Ok(page(&app, Room::Models, "Models", &content))
}

fn named(name: &str) -> String {
    serde_urlencoded::to_string([("name", name)]).unwrap_or_default()
}

/// The models of a schema, for the schema's page.
pub(super) async fn in_schema(app: &App, full_name: &str) -> Markup {
    if mlflow::status(app).state != "ready" {
        return html! { p.dim { "MLflow is starting; reload this page in a few seconds." } };
    }
    let prefix = format!("{full_name}.");
    match reading::models(app, full_name, "").await {
        Ok(listed) => {
            let rows: Vec<Model> = listed
                .rows
                .into_iter()
                .filter(|model| model.name.starts_with(&prefix))
                .collect();
            html! { @if rows.is_empty() { p.dim { "None." } } @else { (table(&rows)) } }
        }
        Err(error) => html! { p.message { "MLflow failed: " (error.message) } },
    }
}

fn table(models: &[Model]) -> Markup {
    html! {
        div.wide { table.list {
            caption.unseen { "Registered models" }
            thead { tr {
                th scope="col" { "Model" } th scope="col" { "Newest version" } th scope="col" { "Aliases" }
                th scope="col" { "Changed" }
            } }
            tbody { @for model in models {
                tr {
                    th scope="row" { a href=(addresses::model(&model.name)) { (model.name) } }
                    td { @if let Some(number) = model.newest_version {
                        a href=(addresses::version(&model.name, &number.to_string())) { (number) }
                    } }
                    td { @for (alias, number) in &model.aliases {
                        a.alias href=(addresses::version(&model.name, &number.to_string())) { (alias) " → " (number) } " "
                    } }
                    td.dim { @if let Some(at) = model.changed_at { (time(at)) } }
                }
            } }
        } }
    }
}
