//! `/`: the runs, newest first.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::addresses;
use super::error_page::Reply;
use super::formatting::{badge, duration, time};
use super::layout::{Room, empty, live_page};
use super::paging::{PageQuery, Part, ROWS};
use crate::state::App;
use crate::store::{RunBrief, RunChoice, RunType};

/// `?show=failed&page=2`.
#[derive(Deserialize)]
pub(super) struct RunsQuery {
    #[serde(default)]
    show: Show,
    #[serde(flatten)]
    page: PageQuery,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Show {
    #[default]
    All,
    Active,
    Failed,
}

const CHOICES: [(Show, &str, &str, RunChoice); 3] = [
    (Show::All, "All", "/", RunChoice::All),
    (Show::Active, "Active", "/?show=active", RunChoice::Active),
    (Show::Failed, "Failed", "/?show=failed", RunChoice::Failed),
];

pub(super) async fn show(State(app): State<Arc<App>>, Query(query): Query<RunsQuery>) -> Reply {
    let choice = CHOICES
        .iter()
        .find(|(show, ..)| *show == query.show)
        .map_or(RunChoice::All, |(.., choice)| *choice);
    let part = Part::of(&query.page, app.store.count_runs(choice)?);
    let runs = app.store.run_briefs(choice, ROWS, part.offset())?;
    let live = app.store.count_runs(RunChoice::Active)? > 0;
    let content = html! {
        h1 { "Runs" }
        nav.choices aria-label="Which runs" {
            @for (show, name, address, _) in CHOICES {
                a href=(address) aria-current=[(show == query.show).then_some("true")] { (name) }
            }
        }
        @if runs.is_empty() { (nothing(query.show)) } @else {
            (table("Runs, newest first", &runs, true))
            (part.links("run", match query.show {
                Show::All => "/?",
                Show::Active => "/?show=active&",
                Show::Failed => "/?show=failed&",
            }))
        }
        (addresses::finder())
    };
    Ok(live_page(&app, Room::Runs, "Runs", live, &content))
}

fn nothing(show: Show) -> Markup {
    match show {
        Show::All => empty("No job has run yet.", "cargo xtask test"),
        Show::Active => html! { div.empty { p { "Nothing runs now." } } },
        Show::Failed => html! { div.empty { p { "No run has failed." } } },
    }
}

/// On a job's page the job's name is left out.
pub(super) fn table(caption: &str, runs: &[RunBrief], with_job: bool) -> Markup {
    html! {
        div.wide {
            table.list {
                caption.unseen { (caption) }
                thead { tr {
                    th scope="col" { "Run" }
                    th scope="col" { "State" } th scope="col" { "Started" } th.number scope="col" { "Duration" }
                } }
                tbody {
                    @for run in runs {
                        tr id={ "run-" (run.run_id) } {
                            th scope="row" { a href={ "/jobs/" (run.job_id) "/runs/" (run.run_id) } {
                                @if with_job { (run.run_name) " " }
                                span.dim { "#" (run.number_in_job) }
                            } (origin(run)) }
                            td { (badge(&run.state)) }
                            td.dim { (time(run.start_time)) }
                            td.number { (duration(Some(run.start_time), run.end_time)) }
                        }
                    }
                }
            }
        }
    }
}

/// Marks a run that was not started in the usual way.
fn origin(run: &RunBrief) -> Markup {
    html! {
        @match run.run_type {
            RunType::JobRun => {}
            RunType::WorkflowRun => { " " span.note { "by a notebook" } }
            RunType::SubmitRun => { " " span.note { "one time" } }
        }
        @if run.repair_count > 0 { " " span.note { "repaired" } }
    }
}
