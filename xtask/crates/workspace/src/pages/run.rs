//! `/jobs/{job_id}/runs/{run_id}`: a run, its tasks, and each executed notebook.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::cells::{Cell, Failure, Notebook, Output};
use super::layout::{badge, duration, page, state_word, time};
use super::output;
use crate::error::ApiError;
use crate::mlflow;
use crate::runner::outcome::read_events;
use crate::state::App;
use crate::store::{Run, TaskRun};

/// A task run with all that the page shows of it.
struct Shown {
    task: TaskRun,
    notebook: Notebook,
    /// Model versions that its MLflow runs became, as (full name, version).
    models: Vec<(String, String)>,
}

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
    // Read as a story: as they started. The bundle's CLI sends them in the order of their names.
    let mut task_runs = app.store.task_runs(run_id)?;
    task_runs.sort_by_key(|task| task.start_time.unwrap_or(i64::MAX));
    for task in task_runs {
        let events = app.task_run_dir(task.run_id).join("events.jsonl");
        // Files may be large; reading them must not hold up other requests.
        let notebook = tokio::task::spawn_blocking(move || Notebook::of(&read_events(&events)))
            .await
            .map_err(|error| ApiError::internal("cannot read the run's events", &error))?;
        let models = models_of(&app, &notebook).await;
        tasks.push(Shown {
            task,
            notebook,
            models,
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
        @if !run.parameters.is_empty() { (parameters("Job parameters", run.parameters.iter())) }
        (task_table(tasks))
        @for shown in tasks { (task_section(shown)) }
    }
}

fn parameters<'p>(title: &str, items: impl Iterator<Item = (&'p String, &'p String)>) -> Markup {
    html! {
        details.parameters {
            summary { (title) }
            table { @for (name, value) in items { tr { th { (name) } td { code { (value) } } } } }
        }
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

fn task_section(shown: &Shown) -> Markup {
    let (task, notebook) = (&shown.task, &shown.notebook);
    html! {
        section.task id={ "task-" (task.run_id) } {
            div.title { h2 { (task.task_key) } (badge(&task.state)) }
            @if !notebook.path.is_empty() {
                p.facts { code { (notebook.path) } " · " (notebook.cells.len()) " of " (notebook.total) " cells run" }
            }
            @if !task.parameters.is_empty() { (parameters("Parameters", task.parameters.iter())) }
            @if notebook.cells.is_empty() { (without_cells(task)) }
            @if let Some(failure) = &notebook.failure { (failed(failure)) }
            @for cell in &notebook.cells { (cell_block(task, cell)) }
            @if let Some(value) = &notebook.exit { p.exit { "Notebook exited: " code { (value) } } }
            @if died(shown) { (task_error(task)) }
        }
    }
}

/// A failure that no cell tells of: the process died, or was stopped.
fn died(shown: &Shown) -> bool {
    shown.task.output.error.is_some()
        && shown.notebook.failing_cell().is_none()
        && !shown.notebook.cells.is_empty()
}

fn without_cells(task: &TaskRun) -> Markup {
    if task.output.error.is_some() {
        return task_error(task);
    }
    let (word, _) = state_word(&task.state);
    html! { p.dim { (if task.state.message.is_empty() { word } else { &task.state.message }) } }
}

fn task_error(task: &TaskRun) -> Markup {
    html! {
        div.failure {
            p { (task.output.error.as_deref().unwrap_or_default()) }
            @if let Some(trace) = &task.output.error_trace { pre.traceback { (output::terminal(trace)) } }
        }
    }
}

fn cell_id(task: &TaskRun, cell: &Cell) -> String {
    format!("task-{}-cell-{}", task.run_id, cell.index + 1)
}

fn cell_block(task: &TaskRun, cell: &Cell) -> Markup {
    let is_markdown = cell.source.starts_with("%md");
    html! {
        article.cell.failing[cell.failure.is_some()].active[cell.seconds.is_none() && task.end_time.is_none()]
            id=(cell_id(task, cell)) {
            div.gutter { a href={ "#" (cell_id(task, cell)) } { (cell.index + 1) }
                @if let Some(seconds) = cell.seconds.filter(|seconds| *seconds >= 0.05) { span { (format!("{seconds:.1} s")) } }
            }
            div.body {
                @if let Some(title) = &cell.title { h3 { (title) } }
                @if !is_markdown { (source(cell)) }
                @for output in &cell.outputs {
                    @match output {
                        Output::Stream { name, text } => { pre class={ "out " (name) } { (output::terminal(text)) } }
                        Output::Display(data) => { (output::display(data)) }
                    }
                }
                @if let Some(failure) = &cell.failure { (failed(failure)) }
            }
        }
    }
}

/// The source with the numbers that its lines have in the file, as tracebacks call them.
fn source(cell: &Cell) -> Markup {
    let failing = cell.failure.as_ref().and_then(|failure| failure.line);
    html! {
        pre.source { code {
            @for (line, number) in cell.source.lines().zip(cell.line..) {
                span.line.hit[Some(number) == failing].comment[line.trim_start().starts_with('#')]
                    data-number=(number) { (line) "\n" }
            }
        } }
    }
}

fn failed(failure: &Failure) -> Markup {
    html! {
        div.failure {
            p { strong { (failure.title) } @if let Some(line) = failure.line { span.dim { " · line " (line) } } }
            @if !failure.traceback.is_empty() { pre.traceback { (output::terminal(&failure.traceback)) } }
        }
    }
}
