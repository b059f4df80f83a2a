//! When a job runs by itself.

use maud::{Markup, html};
use serde_json::Value;

/// The schedule in a few words.
pub(super) fn short(settings: &Value) -> Markup {
    let schedule = &settings["schedule"];
    let Some(cron) = schedule["quartz_cron_expression"].as_str() else {
        return html! { @if let Some(text) = other(settings) { (text) } @else { "none" } };
    };
    html! { code { (cron) } @if is_paused(schedule) { " paused" } }
}

/// All that is known of it.
pub(super) fn full(settings: &Value) -> Markup {
    let schedule = &settings["schedule"];
    let Some(cron) = schedule["quartz_cron_expression"].as_str() else {
        return html! { (other(settings).unwrap_or("none; it runs when somebody starts it")) };
    };
    html! {
        code { (cron) } " in time zone " (schedule["timezone_id"].as_str().unwrap_or("UTC"))
        @if is_paused(schedule) { ", paused" }
    }
}

/// What else may start a job.
fn other(settings: &Value) -> Option<&'static str> {
    if settings["trigger"].is_object() {
        Some("trigger")
    } else if settings["continuous"].is_object() {
        Some("continuous")
    } else {
        None
    }
}

fn is_paused(schedule: &Value) -> bool {
    schedule["pause_status"] == "PAUSED"
}
