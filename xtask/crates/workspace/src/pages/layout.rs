//! What all pages share.

use jiff::{Timestamp, tz::TimeZone};
use maud::{DOCTYPE, Markup, html};

use crate::state::{App, now_ms};
use crate::store::{LifeCycle, ResultState, RunState};

pub(super) const STYLE_PATH: &str = "/assets/workspace.css";
pub(super) const STYLE: &str = include_str!("assets/workspace.css");
pub(super) const SCRIPT_PATH: &str = "/assets/workspace.js";

/// A page. While `active`, its script fetches it again and again, and shows what has changed.
pub(super) fn page(app: &App, title: &str, active: bool, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · local workspace" }
                link rel="stylesheet" href=(STYLE_PATH);
                script defer src=(SCRIPT_PATH) {}
            }
            body {
                header.top {
                    a.brand href="/" { "Local workspace" }
                    nav { a href="/" { "Runs" } a href="/mlflow/" { "MLflow" } }
                    span.who { (app.identity.user_name) }
                }
                main id="content" data-active=(active) { (content) }
            }
        }
    }
}

/// How a state looks: a word for people and a class for the style.
pub(super) fn state_word(state: &RunState) -> (&'static str, &'static str) {
    match (state.life_cycle, state.result) {
        (_, Some(ResultState::Success)) => ("Succeeded", "ok"),
        (_, Some(ResultState::Failed)) => ("Failed", "bad"),
        (_, Some(ResultState::TimedOut)) => ("Timed out", "bad"),
        (_, Some(ResultState::Canceled)) => ("Canceled", "quiet"),
        (_, Some(ResultState::UpstreamFailed)) => ("Upstream failed", "quiet"),
        (_, Some(ResultState::UpstreamCanceled)) => ("Upstream canceled", "quiet"),
        (_, Some(ResultState::Excluded | ResultState::Disabled)) => ("Left out", "quiet"),
        (_, Some(ResultState::MaximumConcurrentRunsReached)) => ("Skipped", "quiet"),
        (LifeCycle::Pending, None) => ("Pending", "wait"),
        (LifeCycle::Blocked, None) => ("Waiting", "wait"),
        (LifeCycle::Queued, None) => ("Queued", "wait"),
        (LifeCycle::Running, None) => ("Running", "run"),
        (LifeCycle::Terminating, None) => ("Ending", "run"),
        (LifeCycle::Terminated | LifeCycle::Skipped, None) => ("Ended", "quiet"),
        (LifeCycle::InternalError, None) => ("Failed", "bad"),
    }
}

/// A state as a badge.
pub(super) fn badge(state: &RunState) -> Markup {
    let (word, class) = state_word(state);
    html! { span class={ "badge " (class) } { (word) } }
}

/// `1.4 s`, `2 min 5 s`, from a start to an end or to now; empty before the start.
pub(super) fn duration(start: Option<i64>, end: Option<i64>) -> String {
    let Some(start) = start else {
        return String::new();
    };
    let milliseconds = (end.unwrap_or_else(now_ms) - start).max(0);
    match milliseconds {
        0..10_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        10_000..120_000 => format!("{} s", milliseconds / 1000),
        120_000..7_200_000 => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1000
        ),
        _ => format!(
            "{} h {} min",
            milliseconds / 3_600_000,
            milliseconds % 3_600_000 / 60_000
        ),
    }
}

/// A point in time in this machine's time zone.
pub(super) fn time(milliseconds: i64) -> Markup {
    let Ok(timestamp) = Timestamp::from_millisecond(milliseconds) else {
        return html! {};
    };
    let local = timestamp
        .to_zoned(TimeZone::system())
        .strftime("%-d %b %Y, %H:%M:%S")
        .to_string();
    html! { time datetime=(timestamp) { (local) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(Some(0), Some(1_450)), "1.4 s");
        assert_eq!(duration(Some(0), Some(61_000)), "61 s");
        assert_eq!(duration(Some(0), Some(125_000)), "2 min 5 s");
        assert_eq!(duration(Some(0), Some(7_260_000)), "2 h 1 min");
        assert_eq!(duration(None, None), "");
    }
}
