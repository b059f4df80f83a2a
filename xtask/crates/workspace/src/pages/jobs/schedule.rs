//! The schedule of a job.

use maud::{Markup, html};

use super::super::formatting::time;
use crate::runner::schedules::{Upcoming, upcoming};
use crate::state::App;
use crate::store::Job;

pub(super) fn short(app: &App, job: &Job) -> Markup {
    match upcoming(app, job) {
        Some(upcoming) => html! { code { (upcoming.what) } (when(&upcoming)) },
        None => html! { "none" },
    }
}

pub(super) fn full(app: &App, job: &Job) -> Markup {
    let Some(upcoming) = upcoming(app, job) else {
        return html! { "none; it runs on request" };
    };
    html! {
        code { (upcoming.what) } (when(&upcoming))
        @if !upcoming.paused && !upcoming.by_clock {
            ". The local workspace stores this trigger, but does not fire it."
        } @else if !upcoming.paused && !upcoming.fires {
            ". To fire schedules here, run " code { "cargo xtask workspace up --schedules" } "."
        }
    }
}

fn when(upcoming: &Upcoming) -> Markup {
    html! {
        @if upcoming.paused { ", paused" }
        @else if let Some(next) = upcoming.next { ", next " (time(next.as_millisecond())) }
    }
}
