//! The failures of a run, at the top of its page: each failed task with its error and a link to the cell.

use maud::{Markup, html};

use super::super::task::{Shown, cell_id};
use super::loading::Loaded;
use crate::store::ResultState;

/// A loop may have hundreds.
const MOST: usize = 5;
/// Characters of an error; the task's section has all of it.
const LONGEST: usize = 600;

/// `None` if no task failed.
pub(super) fn banner(loaded: &Loaded) -> Option<Markup> {
    loaded.run.end_time?;
    let failed: Vec<&Shown> = loaded
        .tasks
        .iter()
        .filter(|shown| {
            let result = shown.task.state.result;
            matches!(result, Some(ResultState::Failed | ResultState::TimedOut))
                && is_last_attempt(loaded, shown)
        })
        .collect();
    let skipped: Vec<&str> = loaded
        .newest()
        .filter(|shown| shown.task.state.result == Some(ResultState::UpstreamFailed))
        .map(|shown| shown.task.task_key.as_str())
        .collect();
    (!failed.is_empty()).then(|| {
        html! {
            section.why aria-label="Failures" {
                @for shown in failed.iter().take(MOST) { (failure(shown)) }
                @if failed.len() > MOST { p { "And " (failed.len() - MOST) " more failures." } }
                @if !skipped.is_empty() { p { "Not run as a result: " (skipped.join(", ")) "." } }
            }
        }
    })
}

/// Whether there is no later attempt; iterations of a loop are retried separately.
fn is_last_attempt(loaded: &Loaded, shown: &Shown) -> bool {
    let task = &shown.task;
    !loaded.tasks.iter().any(|other| {
        let other = &other.task;
        (&other.task_key, other.loop_run_id, &other.input)
            == (&task.task_key, task.loop_run_id, &task.input)
            && other.attempt_number > task.attempt_number
    })
}

fn failure(shown: &Shown) -> Markup {
    let (task, notebook) = (&shown.task, &shown.notebook);
    let cell = notebook.failing_cell();
    let failure = cell.map_or(notebook.failure.as_ref(), |cell| cell.failure.as_ref());
    let error = match (failure, &task.output.error) {
        (Some(failure), _) => &failure.title,
        (None, Some(error)) => error,
        (None, None) => &task.state.message,
    };
    let mut place = Vec::new();
    if let Some(cell) = cell.filter(|_| !notebook.is_program) {
        place.push(format!("cell {}", cell.index + 1));
    }
    if let Some(line) = failure.and_then(|failure| failure.line) {
        place.push(format!("line {line}"));
    }
    if place.is_empty() {
        place.push("see its output".to_owned());
    }
    let address = cell.map_or_else(
        || format!("task-{}", task.run_id),
        |cell| cell_id(task, cell),
    );
    html! {
        div.failure {
            p { strong { (shortened(error)) } }
            p.place {
                "Task " strong { (task.task_key) }
                @if let Some(input) = &task.input { " " code { (input) } }
                ", " a.bad href={ "#" (address) } { (place.join(", ")) }
                @if !notebook.path.is_empty() { " of " code { (notebook.path) } }
            }
        }
    }
}

fn shortened(error: &str) -> String {
    match error.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &error[..end]),
        None => error.to_owned(),
    }
}
