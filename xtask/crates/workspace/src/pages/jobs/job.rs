//! `/jobs/{job_id}`: a job, its tasks, its runs.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde_json::Value;

use super::super::error_page::{ErrorPage, Reply};
use super::super::formatting::time;
use super::super::graph;
use super::super::layout::{Room, crumbs, live_page};
use super::super::paging::{PageQuery, Part, ROWS};
use super::super::runs;
use super::details::{Deployment, full_schedule, permissions};
use super::run_now;
use crate::jobs::{Declared, Task};
use crate::state::App;
use crate::store::{Job, RunChoice};

pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    Path(job_id): Path<i64>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let choice = RunChoice::OfJob(job_id);
    let part = Part::of(&query, app.store.count_runs(choice)?);
    let runs = app.store.run_briefs(choice, ROWS, part.offset())?;
    let job = app.store.job(job_id)?;
    let title = match (&job, runs.first()) {
        (Some(job), _) => job.settings.name.clone(),
        (None, Some(run)) => run.run_name.clone(),
        (None, None) => return Err(absent(job_id)),
    };
    let live = runs.iter().any(|run| run.end_time.is_none());
    let content = html! {
        (crumbs(&[("Jobs", "/jobs")]))
        @match &job {
            Some(job) => {
                div.title { h1 { (title) } (run_now::form(job)) }
                @if let Some(text) = &job.settings.description { p { (text) } }
                (facts(&app, job)?)
            }
            None => {
                h1 { (title) }
                p.message { "This job was deleted. Its runs are kept." }
            }
        }
        h2 #runs { "Runs" }
        @if runs.is_empty() { div.empty { p { "This job has not run yet." } } } @else {
            (runs::table("Runs of this job, newest first", &runs, false))
            (part.links("run", &format!("/jobs/{job_id}?")))
        }
        @if let Some(job) = &job {
            h2 #tasks { "Tasks" }
            (graph::of_job(&job.settings.tasks))
            (tasks(&job.settings.tasks))
            (permission_table(&app, job)?)
            details.raw { summary { "Settings as JSON" } pre { code { (pretty(job.settings.json())) } } }
        }
    };
    Ok(live_page(&app, Room::Jobs, &title, live, &content))
}

pub(super) fn absent(job_id: i64) -> ErrorPage {
    ErrorPage::absent(
        "Job not found",
        &format!(
            "The workspace has no job {job_id} and no run of it. It may have been deleted, or be on another workspace."
        ),
        ("Jobs", "/jobs"),
    )
}

fn facts(app: &App, job: &Job) -> Result<Markup, ErrorPage> {
    let settings = &job.settings;
    Ok(html! {
        dl.facts {
            div { dt { "Schedule" } dd { (full_schedule(app, job)) } }
            @if let Some(deployment) = Deployment::of(app, job.job_id, settings) {
                div { dt { "Code" } dd { (deployment.told()) } }
            }
            div { dt { "Created" } dd { (time(job.created_time)) " by " (job.creator) } }
            @if let Some(run_as) = settings.run_as.name() { div { dt { "Runs as" } dd { (run_as) } } }
            div { dt { "Job" } dd { code { (job.job_id) } } }
        }
        @if !settings.parameters.is_empty() {
            details.parameters {
                summary { "Parameters" }
                table { tbody { @for parameter in &settings.parameters {
                    tr { th scope="row" { (parameter.name) }
                        td { code { (parameter.default) } } }
                } } }
            }
        }
    })
}

fn tasks(declared: &[Declared<Task>]) -> Markup {
    let tasks = graph::in_order(declared);
    html! {
        div.wide { table.list {
            caption.unseen { "Tasks of the job" }
            thead { tr {
                th scope="col" { "Task" } th scope="col" { "After" } th scope="col" { "Runs" }
            } }
            tbody { @for task in tasks {
                tr {
                    th scope="row" { (task.task_key) }
                    td { (graph::needs(task)) }
                    td { (work(task.json())) }
                }
            } }
        } }
    }
}

/// The kind of a task, and its most telling field.
pub(in crate::pages) fn work(task: &Value) -> Markup {
    const TELLING: [&str; 8] = [
        "notebook_path",
        "python_file",
        "entry_point",
        "inputs",
        "job_id",
        "left",
        "pipeline_id",
        "package_name",
    ];
    let mut fields = task.as_object().into_iter().flatten();
    let Some((kind, body)) =
        fields.find(|(name, body)| name.ends_with("_task") && body.is_object())
    else {
        return html! {};
    };
    let telling = TELLING
        .iter()
        .map(|field| &body[*field])
        .find(|value| !value.is_null());
    html! {
        span.dim { (kind.trim_end_matches("_task").replace('_', " ")) }
        @if let Some(value) = telling {
            " " code.path { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) }
        }
    }
}

fn permission_table(app: &App, job: &Job) -> Result<Markup, ErrorPage> {
    let entries = permissions(app, job.job_id, &job.creator)?;
    Ok(html! {
        h2 #permissions { "Permissions" }
        div.wide { table.list {
            caption.unseen { "Permissions of the job" }
            thead { tr { th scope="col" { "Who" } th scope="col" { "May" } } }
            tbody { @for (who, level) in entries { tr { th scope="row" { (who) } td { code { (level) } } } } }
        } }
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
