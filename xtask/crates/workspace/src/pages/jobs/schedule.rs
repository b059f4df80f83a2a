//! When a job runs by itself.

use maud::{Markup, html};

use super::super::words::time;
use crate::runner::schedules::{Upcoming, upcoming};
use crate::state::App;
use crate::store::Job;

/// The schedule in a few words.
pub(super) fn short(app: &App, job: &Job) -> Markup {
    match upcoming(app, job) {
        Some(upcoming) => html! { code { (upcoming.what) } (when(&upcoming)) },
        None => html! { "none" },
    }
}

/// All that is known of it.
pub(super) fn full(app: &App, job: &Job) -> Markup {
    let Some(upcoming) = upcoming(app, job) else {
        return html! { "none; it runs when somebody starts it" };
    };
    html! {
        code { (upcoming.what) } (when(&upcoming))
        @if !upcoming.paused && !upcoming.by_clock {
            ". The local workspace keeps it, and never starts runs by it."
        } @else if !upcoming.paused && !upcoming.fires {
            ". Schedules start runs here after " code { "cargo xtask workspace up --schedules" } "."
        }
    }
}

fn when(upcoming: &Upcoming) -> Markup {
    html! {
        @if upcoming.paused { ", paused" }
        @else if let Some(next) = upcoming.next { ", next " (time(next.as_millisecond())) }
    }
}
