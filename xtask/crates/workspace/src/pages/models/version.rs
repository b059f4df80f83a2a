//! `/explore/data/models/{catalog}/{schema}/{model}/version/{version}`: a model version.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::super::addresses;
use super::super::error_page::{ErrorPage, Reply};
use super::super::formatting::{metric as written, time};
use super::super::layout::{Room, crumbs, page};
use super::super::mlflow_state;
use super::files::Contents;
use super::model::{absent, aliases, job_run, runs_of};
use super::tags::{mlflow_run, value as value_of};
use crate::call::on_disk;
use crate::mlflow::reading::{self, ModelVersion, TrackedRun};
use crate::state::App;

pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    Path((catalog, schema, model, number)): Path<(String, String, String, String)>,
) -> Reply {
    let name = format!("{catalog}.{schema}.{model}").to_lowercase();
    let up = addresses::model(&name);
    let Ok(number) = number.parse::<i64>() else {
        let text = format!("{number} is not a version number.");
        return Err(ErrorPage::absent(
            "Version not found",
            &text,
            ("the model", &up),
        ));
    };
    let title = format!("{name} version {number}");
    if let Some(not_yet) = mlflow_state::not_ready(&app, Room::Models, &title) {
        return Ok(not_yet);
    }
    let version = reading::version(&app, &name, number).await;
    let version = version.map_err(|error| absent(&format!("{name}, version {number}"), error))?;
    let ids: Vec<&str> = runs_of(&version).collect();
    let mut runs = reading::runs(&app, &ids).await?;
    runs.sort_by_key(|run| ids.iter().position(|id| *id == run.run_id));
    let trained = runs.iter().find(|run| run.run_id == version.run_id);
    let of = name.clone();
    let contents = on_disk(&app, move |app| Contents::read(app, &of, number)).await?;
    let content = html! {
        (crumbs(&[("Models", "/models"), (&name, &up)]))
        div.title { h1 { "Version " (number) } (aliases(&version)) }
        @if version.status != "READY" {
            p.message { "This version is not ready: " (version.status) ". Its files may not have arrived." }
        }
        @if !version.description.is_empty() { p { (version.description) } }
        (facts(&app, &version, trained, &contents))
        (metrics(&runs))
        h2 #signature { "Inputs and outputs" }
        (contents.signature())
        h2 #files { "Files" }
        (contents.table(&name, number))
        (tags(&version, &runs))
        details.raw { summary { "Load it in Python" }
            pre { code { "import mlflow\n\nmodel = mlflow.pyfunc.load_model(\"models:/" (name) "/" (number) "\")\n" } }
        }
    };
    Ok(page(&app, Room::Models, &title, &content))
}

fn facts(
    app: &App,
    version: &ModelVersion,
    trained: Option<&TrackedRun>,
    contents: &Contents,
) -> Markup {
    html! {
        dl.facts {
            @if let Some(at) = version.created_at {
                div { dt { "Made" } dd { (time(at)) @if let Some(run) = trained { " by " (run.user) } } }
            }
            @if let Some(address) = trained.and_then(|run| job_run(app, run)) {
                div { dt { "Job run" } dd { a.job-run href=(address) { (address.rsplit('/').next().unwrap_or_default()) } } }
            }
            @if let Some(run) = trained { div { dt { "MLflow run" } dd { (mlflow_run(run)) } } }
            @let flavors = contents.flavors();
            @if !flavors.is_empty() { div { dt { "Flavours" } dd { (flavors) } } }
            div { dt { "In MLflow" } dd {
                a href=(addresses::in_mlflow(&["models", &version.name, "versions", &version.number.to_string()])) { "this version" }
            } }
        }
    }
}

/// One column for each run.
fn metrics(runs: &[TrackedRun]) -> Markup {
    let measured: Vec<&TrackedRun> = runs.iter().filter(|run| !run.metrics.is_empty()).collect();
    let names: BTreeSet<&String> = measured.iter().flat_map(|run| run.metrics.keys()).collect();
    html! {
        @if !names.is_empty() {
            h2 #metrics { "Metrics" }
            div.wide { table.list.narrow {
                caption.unseen { "What the runs behind this version measured" }
                thead { tr { th scope="col" { "Metric" }
                    @for run in &measured { th.number scope="col" { (mlflow_run(run)) } } } }
                tbody { @for name in names {
                    tr { th scope="row" { (name) } @for run in &measured {
                        td.number { @if let Some(value) = run.metrics.get(name) { (written(*value)) } }
                    } }
                } }
            } }
        }
    }
}

fn tags(version: &ModelVersion, runs: &[TrackedRun]) -> Markup {
    html! {
        h2 #tags { "Tags" }
        @if version.tags.is_empty() { p.dim { "None." } } @else {
            div.wide { table.list {
                caption.unseen { "Tags of the version" }
                thead { tr { th scope="col" { "Tag" } th scope="col" { "Value" } } }
                tbody { @for (key, value) in &version.tags {
                    tr { th scope="row" { code { (key) } } td.breaks { (value_of(value, runs)) } }
                } }
            } }
        }
    }
}
