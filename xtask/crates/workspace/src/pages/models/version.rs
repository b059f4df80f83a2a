//! `/explore/data/models/{catalog}/{schema}/{model}/version/{version}`: one version, and all that is known of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::super::addresses::{self, path};
use super::super::layout::{Room, crumbs, page};
use super::super::mlflow_state;
use super::super::problem::{Problem, Reply};
use super::super::words::{metric as written, short_commit, time};
use super::files::Contents;
use super::model::{absent, aliases, job_run, trained_elsewhere};
use super::verdict::{self, Verdict};
use crate::extract::on_disk;
use crate::mlflow::reading::{self, ModelVersion, TrackedRun};
use crate::state::App;

pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    Path((catalog, schema, model, number)): Path<(String, String, String, String)>,
) -> Reply {
    let name = format!("{catalog}.{schema}.{model}").to_lowercase();
    let up = addresses::model(&name);
    let Ok(number) = number.parse::<i64>() else {
        let text = format!("A version is a number, and {number} is none.");
        return Err(Problem::absent(
            "There is no such version",
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
    let judged = version.tags.get("mlops_validation_run_id").cloned();
    let ids = [Some(version.run_id.as_str()), judged.as_deref()];
    let ids: Vec<&str> = ids.into_iter().flatten().collect();
    let runs = reading::runs(&app, &ids).await?;
    let run = |id: Option<&str>| runs.iter().find(|run| Some(run.run_id.as_str()) == id);
    let (trained, judged) = (run(Some(&version.run_id)), run(judged.as_deref()));
    let of = name.clone();
    let contents = on_disk(&app, move |app| Contents::read(app, &of, number)).await?;
    let content = html! {
        (crumbs(&[("Models", "/models"), (&name, &up)]))
        div.title { h1 { "Version " (number) } (aliases(&version)) }
        @if version.status != "READY" {
            p.message { "This version is not ready: " (version.status) ". Its files may not have arrived." }
        }
        @if !version.description.is_empty() { p { (version.description) } }
        (facts(&version, &app.url, trained, judged, &contents))
        (judgement(&version, &name))
        (metrics(trained, judged))
        h2 #signature { "Inputs and outputs" }
        (contents.signature())
        h2 #files { "Files" }
        (contents.table(&name, number))
        (tags(&version))
        details.raw { summary { "Load it in Python" }
            pre { code { "import mlflow\n\nmodel = mlflow.pyfunc.load_model(\"models:/" (name) "/" (number) "\")\n" } }
        }
    };
    Ok(page(&app, Room::Models, &title, &content))
}

fn facts(
    version: &ModelVersion,
    here: &str,
    trained: Option<&TrackedRun>,
    judged: Option<&TrackedRun>,
    contents: &Contents,
) -> Markup {
    let tag = |key: &str| version.tags.get(key);
    html! {
        dl.facts {
            @if let Some(at) = version.created_at {
                div { dt { "Made" } dd { (time(at)) @if let Some(run) = trained { " by " (run.user) } } }
            }
            @if let Some(commit) = tag("mlops_git_commit") {
                div { dt { "Code" } dd { code title=(commit) { (short_commit(commit)) }
                    @if let Some(branch) = tag("mlops_git_branch") { " of " (branch) }
                    @if let Some(edits) = tag("mlops_git_edits") { " + " (edits) } } }
            }
            @if let Some(source) = tag("mlops_promotion_source") {
                div { dt { "Copied from" } dd { (source)
                    @if let Some(from) = tag("mlops_promotion_from") { " of " (from) } } }
            }
            @if let Some(address) = job_run(version, here) {
                div { dt { "Job run" } dd { a.job-run href=(address) { (tag("mlops_job_run_id").map_or("", String::as_str)) } } }
            }
            @if let Some((host, run)) = trained_elsewhere(version, here) {
                div { dt { "MLflow run" } dd { code { (run) } " in " a href=(host) { (host) } } }
            }
            @if let Some(run) = trained { div { dt { "MLflow run" } dd { (mlflow_run(run)) } } }
            @if let Some(run) = judged { div { dt { "Validated in" } dd { (mlflow_run(run)) } } }
            @let flavors = contents.flavors();
            @if !flavors.is_empty() { div { dt { "Flavours" } dd { (flavors) } } }
            div { dt { "In MLflow" } dd {
                a href=(addresses::in_mlflow(&["models", &version.name, "versions", &version.number.to_string()])) { "this version" }
            } }
        }
    }
}

fn mlflow_run(run: &TrackedRun) -> Markup {
    let name = if run.name.is_empty() {
        &run.run_id
    } else {
        &run.name
    };
    html! { a.mlflow-run href=(path(&["ml", "experiments", &run.experiment_id, "runs", &run.run_id])) { (name) } }
}

/// The verdict, why, and beside which version.
fn judgement(version: &ModelVersion, name: &str) -> Markup {
    let verdict = verdict::of(version);
    let beside = |key: &str, text: &str| {
        let number = verdict::tag(version, key).unwrap_or_default();
        html! {
            @if number == "none" { p { (text) " no other version." } }
            @else if !number.is_empty() {
                p { (text) " " a href=(addresses::version(name, number)) { "version " (number) } "." }
            }
        }
    };
    html! {
        h2 #verdict { "Verdict" }
        @match verdict {
            Verdict::None => { p.dim { "Nobody has judged this version." } }
            Verdict::Copied => {
                p { (verdict.badge()) " The verdict on this version speaks of "
                    code { (version.tags.get("mlops_verdict_for").map_or("another one", String::as_str)) }
                    ", which it was copied from. It counts for nothing here." }
            }
            Verdict::Passed | Verdict::Rejected => {
                div.verdict.(verdict.class()) {
                    p { (verdict.badge()) " " (verdict::tag(version, "mlops_verdict_reason").unwrap_or_default()) }
                    (beside("mlops_champion_at_validation", "Compared with"))
                    (beside("mlops_previous_champion", "As champion it replaced"))
                }
            }
        }
    }
}

fn metrics(trained: Option<&TrackedRun>, judged: Option<&TrackedRun>) -> Markup {
    let mut rows: BTreeMap<&str, [Option<f64>; 2]> = BTreeMap::new();
    for (column, run) in [trained, judged].into_iter().enumerate() {
        for (name, value) in run.into_iter().flat_map(|run| &run.metrics) {
            rows.entry(name).or_default()[column] = Some(*value);
        }
    }
    let cell = |value: Option<f64>| value.map_or_else(String::new, written);
    html! {
        @if !rows.is_empty() {
            h2 #metrics { "Metrics" }
            div.wide { table.list.narrow {
                caption.unseen { "What the runs behind this version measured" }
                thead { tr { th scope="col" { "Metric" }
                    @if trained.is_some() { th.number scope="col" { "Training" } }
                    @if judged.is_some() { th.number scope="col" { "Validation" } } } }
                tbody { @for (name, [in_training, in_validation]) in rows {
                    tr { th scope="row" { (name) }
                        @if trained.is_some() { td.number { (cell(in_training)) } }
                        @if judged.is_some() { td.number { (cell(in_validation)) } } }
                } }
            } }
        }
    }
}

fn tags(version: &ModelVersion) -> Markup {
    html! {
        h2 #tags { "Tags" }
        @if version.tags.is_empty() { p.dim { "None." } } @else {
            div.wide { table.list {
                caption.unseen { "Tags of the version" }
                thead { tr { th scope="col" { "Tag" } th scope="col" { "Value" } } }
                tbody { @for (key, value) in &version.tags {
                    tr { th scope="row" { code { (key) } } td.breaks { (value) } }
                } }
            } }
        }
    }
}
