//! A task run with its executed notebook, for the run's page and for exports.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::assets::STYLE;
use super::cells::{Cell, Failure, Notebook, Output};
use super::formatting::{badge, look};
use super::output::{self, Frames, Position};
use super::terminal;
use crate::runner::outcome::read_events;
use crate::state::App;
use crate::store::{Run, TaskRun};

pub(super) struct Shown {
    pub task: TaskRun,
    pub notebook: Notebook,
    /// Model versions of its MLflow runs, as (full name, version).
    pub models: Vec<(String, String)>,
    /// The run that a `run_job_task` started.
    pub started: Option<Run>,
}

/// Named parameters, or a list of arguments.
pub(super) fn parameters(title: &str, values: &Value) -> Markup {
    let rows: Vec<(String, &Value)> = match values {
        Value::Object(named) => named
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(i, value)| (format!("{}", i + 1), value))
            .collect(),
        _ => Vec::new(),
    };
    html! {
        @if !rows.is_empty() {
            details.parameters {
                summary { (title) }
                table {
                    @for (name, value) in rows {
                        tr { th scope="row" { (name) } td { code { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) } } }
                    }
                }
            }
        }
    }
}

pub(super) fn task_section(shown: &Shown, frames: Frames) -> Markup {
    let (task, notebook) = (&shown.task, &shown.notebook);
    html! {
        section.task id={ "task-" (task.run_id) } {
            div.title { h2 { (task.task_key) @if let Some(input) = &task.input { " " code { (input) } } } (badge(&task.state)) }
            @if !notebook.path.is_empty() {
                p.facts { code { (notebook.path) } " · " (notebook.cells.len()) " of " (notebook.total) " cells run" }
            }
            (parameters("Parameters", &task.parameters))
            @if !notebook.environment.is_empty() {
                details.parameters {
                    summary { "Environment" }
                    pre.out { (notebook.environment.join("\n")) }
                }
            }
            @if notebook.cells.is_empty() { (without_cells(task)) }
            @if let Some(failure) = &notebook.failure { (failed(failure)) }
            @for cell in &notebook.cells { (cell_block(task, cell, frames)) }
            @if let Some(value) = &notebook.exit { p.exit { "Notebook exited: " code { (value) } } }
            @if died(shown) { (task_error(task)) }
        }
    }
}

/// A failure outside of cells: the process died, or was stopped.
fn died(shown: &Shown) -> bool {
    shown.task.output.error.is_some()
        && shown.notebook.failing_cell().is_none()
        && !shown.notebook.cells.is_empty()
}

fn without_cells(task: &TaskRun) -> Markup {
    if task.output.error.is_some() {
        return task_error(task);
    }
    let word = look(&task.state).word;
    html! { p.dim { (if task.state.message.is_empty() { word } else { &task.state.message }) } }
}

fn task_error(task: &TaskRun) -> Markup {
    html! {
        div.failure {
            p { (task.output.error.as_deref().unwrap_or_default()) }
            @if let Some(trace) = &task.output.error_trace { pre.traceback { (terminal::coloured(trace)) } }
        }
    }
}

pub(super) fn cell_id(task: &TaskRun, cell: &Cell) -> String {
    format!("task-{}-cell-{}", task.run_id, cell.index + 1)
}

fn cell_block(task: &TaskRun, cell: &Cell, frames: Frames) -> Markup {
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
                @for (index, output) in cell.outputs.iter().enumerate() {
                    @match output {
                        Output::Stream { name, text } => { (terminal::output(&format!("out {name}"), text)) }
                        Output::Display(data) => {
                            (output::display(data, Position { task_run_id: task.run_id, cell: cell.index, output: index }, frames))
                        }
                    }
                }
                @if let Some(failure) = &cell.failure { (failed(failure)) }
            }
        }
    }
}

/// Source with the line numbers of the file, which tracebacks use.
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
            @if !failure.traceback.is_empty() { pre.traceback { (terminal::coloured(&failure.traceback)) } }
        }
    }
}

/// An executed notebook as one self-contained HTML file, for `runs/export`.
pub(crate) fn executed_notebook(app: &App, task: TaskRun) -> String {
    let events = app.task_run_dir(task.run_id).join("events.jsonl");
    let shown = Shown {
        notebook: Notebook::of(read_events(&events)),
        task,
        models: Vec::new(),
        started: None,
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (shown.notebook.path) }
                style { (PreEscaped(STYLE.text)) }
            }
            body { main { (task_section(&shown, Frames::Inline)) } }
        }
    }
    .into_string()
}
