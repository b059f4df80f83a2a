//! `/jobs/{job_id}/runs/{run_id}`: a run, its tasks, and each executed notebook.

mod actions;
mod facts;
mod failure;
mod loading;

pub(super) use actions::{cancel, repair};

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::json;

use self::loading::{Loaded, load};
use super::addresses;
use super::error_page::ErrorPage;
use super::formatting::{badge, duration, exact};
use super::graph;
use super::layout::{Room, crumbs, live_page};
use super::output::Frames;
use super::task::{Shown, cell_id, parameters, task_section};
use crate::runner;
use crate::state::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((job_id, run_id)): Path<(i64, i64)>,
) -> Result<Response, ErrorPage> {
    let run = app.store.run(run_id)?.filter(|run| run.job_id == job_id);
    let Some(run) = run else {
        return Ok(match task_on_its_run(&app, job_id, run_id)? {
            Some(address) => Redirect::to(&address).into_response(),
            None => return Err(absent(job_id, run_id)),
        });
    };
    let title = format!("{} #{}", run.run_name, run.number_in_job);
    let loaded = load(&app, run).await?;
    let live = loaded.run.end_time.is_none() || loaded.waits_for_mlflow;
    Ok(live_page(&app, Room::Runs, &title, live, &content(&app, &loaded)).into_response())
}

/// On Databricks a task run has a page, too; here it is a section of its run's page.
fn task_on_its_run(app: &App, job_id: i64, run_id: i64) -> Result<Option<String>, ErrorPage> {
    let Some(task) = app.store.task_run(run_id)? else {
        return Ok(None);
    };
    let of_job = app
        .store
        .run(task.job_run_id)?
        .is_some_and(|run| run.job_id == job_id);
    Ok(of_job.then(|| format!("/jobs/{job_id}/runs/{}#task-{run_id}", task.job_run_id)))
}

fn absent(job_id: i64, run_id: i64) -> ErrorPage {
    ErrorPage::absent(
        "Run not found",
        &format!(
            "Job {job_id} has no run {run_id} on this workspace. It may have been deleted, or be on another one."
        ),
        ("Runs", "/"),
    )
}

fn content(app: &App, loaded: &Loaded) -> Markup {
    let run = &loaded.run;
    let newest: Vec<_> = loaded.newest().map(|shown| &shown.task).collect();
    html! {
        (crumbs(&[("Jobs", "/jobs"), (&run.run_name, &format!("/jobs/{}", run.job_id))]))
        div.title {
            h1 { (run.run_name) " " span.dim { "#" (run.number_in_job) } }
            span role="status" { (badge(&run.state)) }
            (actions::buttons(loaded))
        }
        @match failure::banner(loaded) {
            Some(banner) => { (banner) }
            None => { @if !run.state.message.is_empty() { p.message { (run.state.message) } } }
        }
        (facts::of(app, loaded))
        h2.unseen #tasks { "Tasks" }
        (graph::of_run(&newest))
        (task_table(&loaded.tasks))
        div.more {
            @if !run.parameters.is_empty() { (parameters("Job parameters", &json!(runner::job_parameters(run, app.workspace())))) }
            (facts::metrics(loaded))
        }
        (facts::lives(loaded))
        @for shown in &loaded.tasks { (task_section(shown, Frames::Apart)) }
        @if loaded.left_out > 0 { p.message { "And " (loaded.left_out) " more iterations are not shown." } }
    }
}

fn task_table(tasks: &[Shown]) -> Markup {
    html! {
        div.wide { table.list.tasks {
            caption.unseen { "Tasks of the run in the order of their start" }
            thead { tr {
                th scope="col" { "Task" } th scope="col" { "After" } th scope="col" { "State" }
                th scope="col" { "Result" } th.number scope="col" { "Duration" }
            } }
            tbody { @for shown in tasks { (task_row(shown)) } }
        } }
    }
}

fn task_row(shown: &Shown) -> Markup {
    let task = &shown.task;
    html! {
        tr id={ "row-" (task.run_id) } {
            th scope="row" { a href={ "#task-" (task.run_id) } { (task.task_key) }
                @if let Some(input) = &task.input { " " code { (input) } }
                @if task.attempt_number > 0 { " " span.note { "attempt " (task.attempt_number + 1) } } }
            td.dim { (graph::needs(&task.settings)) }
            td { (badge(&task.state)) }
            td { (results(shown)) }
            td.number {
                @let duration = duration(task.start_time, task.end_time);
                @if let Some(started) = task.start_time { span title={ "started " (exact(started)) } { (duration) } }
            }
        }
    }
}

/// Links to the failing cell, MLflow runs and model versions.
fn results(shown: &Shown) -> Markup {
    html! {
        @if let Some(outcome) = shown.task.outcome { code { (outcome) } " " }
        @if let Some(started) = &shown.started {
            a href={ "/jobs/" (started.job_id) "/runs/" (started.run_id) } {
                (started.run_name) " #" (started.number_in_job)
            } " " (badge(&started.state)) " "
        }
        @if let Some(cell) = shown.notebook.failing_cell() {
            a.bad href={ "#" (cell_id(&shown.task, cell)) } { "failing cell " (cell.index + 1) } " "
        }
        @for (experiment, run) in &shown.notebook.mlflow_runs {
            a.mlflow-run href=(addresses::in_mlflow(&["experiments", experiment, "runs", run])) {
                "MLflow run " (run.get(..8).unwrap_or(run))
            } " "
        }
        @for (name, version) in &shown.models {
            a.model-version href=(addresses::version(name, version)) { (name) " version " (version) } " "
        }
    }
}
