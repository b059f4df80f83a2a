//! Steps that were stopped, and the fallback if no tool reports an error.

use super::Finding;
use super::lines::Step;

/// How many last lines of a step to show.
const LAST_WORDS: usize = 6;
/// Superseded by a newer run.
const SUPERSEDED: &str = "Canceling since a ";
/// GitHub's messages for stopped steps.
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

/// A step that was stopped: timeout, cancelled, runner lost.
pub(super) fn stopped(step: &Step) -> Option<Finding> {
    // The reason is more specific.
    let why = step.errors.iter().find(|error| error.contains(SUPERSEDED));
    let error = why.or_else(|| step.errors.iter().find(|error| is_stop(error)))?;
    Some(Finding {
        tool: "github".to_owned(),
        what: error.trim_end_matches('.').to_owned(),
        lines: tail(step),
        ..Finding::default()
    })
}

/// A program killed by the system, nearly always out of memory.
pub(super) fn killed(step: &Step) -> Option<Finding> {
    let by_kill = |error: &String| error.ends_with("exit code 137.");
    step.errors.iter().find(|error| by_kill(error))?;
    Some(Finding {
        tool: "system".to_owned(),
        what: "killed by the system (exit code 137), probably out of memory".to_owned(),
        lines: tail(step),
        ..Finding::default()
    })
}

/// GitHub's error and the last lines before it.
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
