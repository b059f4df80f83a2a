//! `/`: the newest runs.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};

use super::layout::{badge, duration, page, time};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{Run, RunFilter};

/// How many runs the page shows.
const SHOWN: u32 = 100;

pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Markup, ApiError> {
    let runs = app.store.runs(&RunFilter {
        limit: SHOWN,
        ..RunFilter::default()
    })?;
    let active = runs.iter().any(|run| run.end_time.is_none());
    Ok(page(&app, "Runs", active, &content(&runs)))
}

fn content(runs: &[Run]) -> Markup {
    html! {
        h1 { "Runs" }
        @if runs.is_empty() {
            div.empty {
                p { "No job has run here yet." }
                p { "Start one with " code { "cargo xtask test" } "." }
            }
        } @else {
            table.runs {
                thead { tr { th { "Job" } th { "Run" } th { "State" } th { "Started" } th.number { "Duration" } } }
                tbody {
                    @for run in runs {
                        tr {
                            td { a href={ "/jobs/" (run.job_id) "/runs/" (run.run_id) } { (run.run_name) } }
                            td.dim { "#" (run.number_in_job) }
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
