//! Steps that did not end by themselves, and what is left to say where nobody says what is wrong.

use super::Finding;
use super::lines::Step;

/// How many lines show where a step was when it ended.
const LAST_WORDS: usize = 6;
/// A newer run took its place.
const SUPERSEDED: &str = "Canceling since a ";
/// What GitHub says of a step that it stopped.
const STOPPED: &[&str] = &[
    "has timed out after",
    "exceeded the maximum execution time",
    "The operation was canceled",
    "The runner has received a shutdown signal",
    "lost communication with the server",
];

fn is_stop(error: &str) -> bool {
    STOPPED.iter().any(|words| error.contains(words))
}

/// A step that was stopped from outside: too slow, cancelled, its machine gone.
pub(super) fn stopped(step: &Step) -> Option<Finding> {
    // Why says more than that.
    let why = step.errors.iter().find(|error| error.contains(SUPERSEDED));
    let error = why.or_else(|| step.errors.iter().find(|error| is_stop(error)))?;
    Some(Finding {
        tool: "github".to_owned(),
        what: error.trim_end_matches('.').to_owned(),
        lines: tail(step),
        ..Finding::default()
    })
}

/// A program that the system killed, which is nearly always for its memory.
pub(super) fn killed(step: &Step) -> Option<Finding> {
    let by_kill = |error: &String| error.ends_with("exit code 137.");
    step.errors.iter().find(|error| by_kill(error))?;
    Some(Finding {
        tool: "system".to_owned(),
        what: "killed by the system (exit code 137); it may have run out of memory".to_owned(),
        lines: tail(step),
        ..Finding::default()
    })
}

/// The error that GitHub shows, and the last lines before it.
pub(super) fn last_words(step: &Step) -> Finding {
    Finding {
        tool: "github".to_owned(),
        what: step
            .errors
            .first()
            .map(|error| error.trim_end_matches('.').to_owned())
            .unwrap_or_default(),
        lines: tail(step),
        ..Finding::default()
    }
}

fn tail(step: &Step) -> Vec<String> {
    let said: Vec<&String> = step
        .output
        .iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    said[said.len().saturating_sub(LAST_WORDS)..]
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
