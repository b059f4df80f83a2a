//! Facts about a run as a whole.

use maud::{Markup, html};
use serde_json::Value;

use super::super::addresses::path;
use super::super::formatting::{badge, duration, metric, time};
use super::loading::Loaded;
use crate::state::App;
use crate::store::RunType;

pub(super) fn of(app: &App, loaded: &Loaded) -> Markup {
    let run = &loaded.run;
    let by_notebook = run
        .parent_run_id
        .and_then(|id| app.store.run(id).ok().flatten());
    html! {
    dl.facts {
        div { dt { "Started" } dd { (time(run.start_time)) " by " (run.creator) } }
        div { dt { "Duration" } dd { (duration(Some(run.start_time), run.end_time)) } }
        (code(loaded))
        @if let Some(parent) = &by_notebook {
            div { dt { "Started from" } dd { a href={ "/jobs/" (parent.job_id) "/runs/" (parent.run_id) } {
                (parent.run_name) " #" (parent.number_in_job) } } }
        }
        @match run.run_type {
            RunType::JobRun => {}
            RunType::WorkflowRun => { div { dt { "Kind" } dd { "run by a notebook" } } }
            RunType::SubmitRun => { div { dt { "Kind" } dd { "one-time run" } } }
        }
        div { dt { "Run" } dd { code { (run.run_id) } } }
        div { dt { "Job" } dd { a href={ "/jobs/" (run.job_id) } { code { (run.job_id) } } } }
        @if let Some(only) = chosen(&run.overrides) { div { dt { "Only tasks" } dd { (only) } } }
    }
    }
}

/// The commit of the bundle's last deployment, if that was before the run.
fn code(loaded: &Loaded) -> Markup {
    let Some(last) = &loaded.deployment else {
        return html! {};
    };
    let is_of_run = last.at.is_some_and(|at| at <= loaded.run.start_time);
    html! { div { dt { "Code" } dd.commit {
        @if !is_of_run { "unknown: the bundle was deployed again since, from " }
        (last.commit())
    } } }
}

/// `only` of the request.
fn chosen(overrides: &Value) -> Option<String> {
    let only = overrides["only"].as_array()?;
    let names: Vec<&str> = only.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

pub(super) fn metrics(loaded: &Loaded) -> Markup {
    let measured: Vec<_> = loaded
        .tracked
        .iter()
        .filter(|run| !run.metrics.is_empty())
        .collect();
    html! {
        @for run in measured {
            details.metrics {
                summary { "Metrics of MLflow run " (if run.name.is_empty() { &run.run_id } else { &run.name }) }
                ul.metrics-list { @for (name, value) in &run.metrics {
                    li { span.dim { (name) } " " strong { (metric(*value)) } }
                } }
                p { a href=(path(&["ml", "experiments", &run.experiment_id, "runs", &run.run_id])) { "In MLflow" } }
            }
        }
    }
}

/// The original run and its repairs.
pub(super) fn lives(loaded: &Loaded) -> Markup {
    let tasks = |ids: &[i64]| {
        let names = ids.iter().filter_map(|id| {
            let shown = loaded.tasks.iter().find(|shown| shown.task.run_id == *id)?;
            Some(shown.task.task_key.as_str())
        });
        names.collect::<Vec<_>>().join(", ")
    };
    html! {
        @if !loaded.lives.is_empty() {
            h2 #repairs { "Repairs" }
            div.wide { table.list {
                caption.unseen { "The original run and its repairs" }
                thead { tr { th scope="col" { "Execution" } th scope="col" { "State" } th scope="col" { "Tasks" }
                    th scope="col" { "Started" } th.number scope="col" { "Duration" } } }
                tbody { @for life in &loaded.lives {
                    @let (state, end) = life.ended.as_ref().map_or((&loaded.run.state, loaded.run.end_time), |(state, end)| (state, Some(*end)));
                    tr {
                        th scope="row" { @if life.number == 0 { "Original" } @else { "Repair " (life.number) } }
                        td { (badge(state)) }
                        td.dim { (tasks(&life.task_run_ids)) }
                        td.dim { (time(life.start_time)) }
                        td.number { (duration(Some(life.start_time), end)) }
                    }
                } }
            } }
        }
    }
}
