//! States, times and sizes for people.

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use xtask_local_server::now_ms;

use crate::store::{LifeCycle, ResultState, RunState};

/// How a state looks: a word, a CSS class, and a sign for narrow places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub word: &'static str,
    pub class: &'static str,
    pub sign: &'static str,
}

pub(super) fn look(state: &RunState) -> Look {
    let (word, class) = match (state.life_cycle, state.result) {
        (_, Some(ResultState::Success)) => ("Succeeded", "ok"),
        (_, Some(ResultState::SuccessWithFailures)) => ("Succeeded with failures", "ok"),
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
    };
    let sign = match class {
        "ok" => "✓",
        "bad" => "✕",
        "run" => "▸",
        "wait" => "…",
        _ => "–",
    };
    Look { word, class, sign }
}

pub(super) fn badge(state: &RunState) -> Markup {
    let look = look(state);
    html! { span class={ "badge " (look.class) } { (look.word) } }
}

/// `1.4 s`, `2 min 5 s`; up to now if there is no end, empty before the start.
pub(super) fn duration(start: Option<i64>, end: Option<i64>) -> String {
    start.map_or_else(String::new, |start| {
        span((end.unwrap_or_else(now_ms) - start).max(0))
    })
}

fn span(milliseconds: i64) -> String {
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

/// Relative, with the exact local time as a tooltip.
pub(super) fn time(milliseconds: i64) -> Markup {
    let Ok(timestamp) = Timestamp::from_millisecond(milliseconds) else {
        return html! {};
    };
    html! { time datetime=(timestamp) title=(exact(milliseconds)) { (relative(milliseconds, now_ms())) } }
}

/// To the second, in local time.
pub(super) fn exact(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map(|timestamp| timestamp.to_zoned(TimeZone::system()))
        .map_or_else(
            |_| String::new(),
            |local| local.strftime("%-d %b %Y, %H:%M:%S %Z").to_string(),
        )
}

/// `2 min ago`, `in 3 h`. The pages' script keeps it current.
fn relative(then: i64, now: i64) -> String {
    let seconds = (now - then).abs() / 1000;
    let amount = match seconds {
        0..10 => return "now".to_owned(),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{} days", seconds / 86_400),
    };
    if then <= now {
        format!("{amount} ago")
    } else {
        format!("in {amount}")
    }
}

/// `1,234`.
pub(super) fn count(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 run`, `2 runs`.
pub(super) fn counted(number: i64, what: &str) -> String {
    format!(
        "{} {what}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// `2.3 MB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "shown with one digit after the point"
)]
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// With the significant digits; exponents as the commands write them.
pub(super) fn metric(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => value.to_string(),
        0.0 | 1e-4..1e9 => {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.3e}"),
    }
}

/// The abbreviated commit.
pub(super) fn short_commit(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
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

    #[test]
    fn times_are_told_from_now() {
        assert_eq!(relative(0, 9_000), "now");
        assert_eq!(relative(0, 61_000), "1 min ago");
        assert_eq!(relative(7_300_000, 0), "in 2 h");
        assert_eq!(relative(0, 90_000_000), "1 day ago");
        assert_eq!(relative(0, 864_000_000), "10 days ago");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(10_000, "run"), "10,000 runs");
        assert_eq!(count(999), "999");
        assert_eq!(size(1_234_567), "1.2 MB");
        assert_eq!(metric(2.5), "2.5");
        assert_eq!(metric(0.0), "0");
        assert_eq!(metric(123_456_789.0), "123456789");
        assert_eq!(metric(1_234_567_890.0), "1.235e9");
        assert_eq!(metric(0.000_012_34), "1.234e-5");
        assert_eq!(metric(f64::NAN), "NaN");
        assert_eq!(metric(f64::NEG_INFINITY), "-inf");
        assert_eq!(metric(-0.12345), "-0.1235");
    }
}
