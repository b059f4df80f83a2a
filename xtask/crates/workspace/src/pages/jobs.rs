//! `/jobs`: the jobs, each with its last runs.

mod details;
mod job;
mod run_now;

pub(super) use details::Deployment;
pub(super) use job::show as show_job;
pub(super) use run_now::start;

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::error_page::Reply;
use super::formatting::look;
use super::layout::{Room, empty, live_page};
use super::paging::{PageQuery, Part, ROWS};
use crate::state::App;
use crate::store::{Job, RunBrief, RunChoice};

/// Recent runs shown beside a job.
const OUTCOMES: u32 = 8;

pub(super) async fn show(State(app): State<Arc<App>>, Query(query): Query<PageQuery>) -> Reply {
    let part = Part::of(&query, app.store.count_jobs()?);
    let mut rows = Vec::new();
    for job in app.store.jobs(None, ROWS, part.offset())? {
        let last = app
            .store
            .run_briefs(RunChoice::OfJob(job.job_id), OUTCOMES, 0)?;
        rows.push((job, last));
    }
    let live = rows
        .iter()
        .any(|(_, last)| last.iter().any(|run| run.end_time.is_none()));
    let content = html! {
        h1 { "Jobs" }
        @if rows.is_empty() {
            (empty("No jobs are deployed yet.", "cargo xtask deploy"))
        } @else {
            (table(&app, &rows))
            (part.links("job", "/jobs?"))
        }
    };
    Ok(live_page(&app, Room::Jobs, "Jobs", live, &content))
}

fn table(app: &App, rows: &[(Job, Vec<RunBrief>)]) -> Markup {
    html! {
        div.wide {
            table.list {
                caption.unseen { "Jobs, newest first" }
                thead { tr {
                    th scope="col" { "Job" } th scope="col" { "Last runs" }
                    th scope="col" { "Schedule" } th scope="col" { "Created by" }
                } }
                tbody {
                    @for (job, last) in rows {
                        tr {
                            th scope="row" { a href={ "/jobs/" (job.job_id) } { (job.settings.name) } }
                            td { (outcomes(last)) }
                            td.dim { (details::short_schedule(app, job)) }
                            td.dim { (job.creator) }
                        }
                    }
                }
            }
        }
    }
}

/// The recent runs, the newest on the right, each linked.
fn outcomes(newest_first: &[RunBrief]) -> Markup {
    if newest_first.is_empty() {
        return html! { span.dim { "never run" } };
    }
    html! {
        ol.outcomes {
            @for run in newest_first.iter().rev() {
                @let look = look(&run.state);
                @let told = format!("Run #{}: {}", run.number_in_job, look.word);
                li { a.outcome.(look.class) href={ "/jobs/" (run.job_id) "/runs/" (run.run_id) }
                    aria-label=(told) title=(told) { (look.sign) } }
            }
        }
    }
}
