//! `/jobs/{job_id}/runs/{run_id}`: a run, its tasks, and each executed notebook.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::json;

use super::cells::Notebook;
use super::layout::{badge, duration, page, time};
use super::task::{Shown, cell_id, parameters, task_section};
use crate::error::ApiError;
use crate::mlflow;
use crate::runner::outcome::read_events;
use crate::state::App;
use crate::store::{Run, TaskRun};

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((job_id, run_id)): Path<(i64, i64)>,
) -> Result<Markup, ApiError> {
    let run = app.store.run(run_id)?.filter(|run| run.job_id == job_id);
    let Some(run) = run else {
        return Err(ApiError::not_found(format!(
            "job {job_id} has no run {run_id}"
        )));
    };
    let mut tasks = Vec::new();
    for task in with_iterations(&app, run_id)? {
        let events = app.task_run_dir(task.run_id).join("events.jsonl");
        // Files may be large; reading them must not hold up other requests.
        let notebook = tokio::task::spawn_blocking(move || Notebook::of(&read_events(&events)))
            .await
            .map_err(|error| ApiError::internal("cannot read the run's events", &error))?;
        let models = models_of(&app, &notebook).await;
        let started = match task.started_run_id {
            Some(run_id) => app.store.run(run_id)?,
            None => None,
        };
        tasks.push(Shown {
            task,
            notebook,
            models,
            started,
        });
    }
    let title = format!("{} #{}", run.run_name, run.number_in_job);
    Ok(page(
        &app,
        &title,
        run.end_time.is_none(),
        &content(&run, &tasks),
    ))
}

/// The tasks of a run, each followed by its iterations where it repeats another one.
fn with_iterations(app: &App, run_id: i64) -> Result<Vec<TaskRun>, ApiError> {
    let mut tasks = Vec::new();
    // Read as a story: as they started. The bundle's CLI sends them in the order of their names.
    let mut task_runs = app.store.task_runs(run_id)?;
    task_runs.sort_by_key(|task| task.start_time.unwrap_or(i64::MAX));
    for task in task_runs {
        let task_run_id = task.run_id;
        tasks.push(task);
        tasks.extend(app.store.iterations(task_run_id)?);
    }
    Ok(tasks)
}

async fn models_of(app: &App, notebook: &Notebook) -> Vec<(String, String)> {
    let mut models = Vec::new();
    // A page does not wait for a server that is on its way.
    if mlflow::status(app).state != "ready" {
        return models;
    }
    for (_, run_id) in &notebook.mlflow_runs {
        match mlflow::registry::versions_of_run(app, run_id).await {
            Ok(found) => models.extend(found),
            Err(error) => tracing::warn!(%error, "cannot look up the model versions of a run"),
        }
    }
    models
}

fn content(run: &Run, tasks: &[Shown]) -> Markup {
    html! {
        p.crumbs { a href="/" { "Runs" } " / " (run.run_name) }
        div.title { h1 { (run.run_name) " " span.dim { "#" (run.number_in_job) } } (badge(&run.state)) }
        p.facts {
            "Started " (time(run.start_time)) " · " (duration(Some(run.start_time), run.end_time))
            " · run " code { (run.run_id) } " of job " code { (run.job_id) }
        }
        @if !run.state.message.is_empty() { p.message { (run.state.message) } }
        @if !run.parameters.is_empty() { (parameters("Job parameters", &json!(run.parameters))) }
        (task_table(tasks))
        @for shown in tasks { (task_section(shown)) }
    }
}

fn task_table(tasks: &[Shown]) -> Markup {
    html! {
        table.tasks {
            thead { tr { th { "Task" } th { "State" } th { "Result" } th.number { "Duration" } } }
            tbody {
                @for shown in tasks {
                    @let task = &shown.task;
                    tr {
                        td { a href={ "#task-" (task.run_id) } { (task.task_key) }
                            @if let Some(input) = &task.input { " " code { (input) } }
                            @if task.attempt_number > 0 { span.dim { " attempt " (task.attempt_number + 1) } } }
                        td { (badge(&task.state)) }
                        td { (results(shown)) }
                        td.number { (duration(task.start_time, task.end_time)) }
                    }
                }
            }
        }
    }
}

/// Where to look next: the failing cell, the MLflow runs, the model versions.
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
            a.mlflow-run href={ "/mlflow/#/experiments/" (experiment) "/runs/" (run) } {
                "MLflow run " (run.get(..8).unwrap_or(run))
            } " "
        }
        @for (name, version) in &shown.models {
            a.model-version href={ "/mlflow/#/models/" (name) "/versions/" (version) } { (name) " version " (version) } " "
        }
    }
}
