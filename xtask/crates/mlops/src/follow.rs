//! Follows a job run live: one line per task with its state, duration and current cell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xtask_remote::databricks::jobs::{self, Run, Task};
use xtask_remote::{Transport, local};

use crate::context::Context;
use crate::error::Failure;
use crate::notebook_events::{self, Event};
use crate::ui::{Progress, Tone, seconds};

/// The first polling interval: short, so that short tasks are seen.
const SOONEST: Duration = Duration::from_millis(200);
/// The longest polling interval.
const LATEST: Duration = Duration::from_secs(3);
/// How long to wait for a cancelled run to end.
const CANCEL: Duration = Duration::from_secs(60);

/// Follows a run to its end. A failed run is not an error here.
pub(crate) fn to_the_end(
    context: &Context,
    transport: &dyn Transport,
    run_id: i64,
    is_local: bool,
) -> anyhow::Result<Run> {
    let mut shown = BTreeMap::new();
    let mut pause = SOONEST;
    loop {
        let run = jobs::run(transport, run_id)?;
        for task in &run.tasks {
            let line: &mut TaskLine = shown.entry(task.task_key.clone()).or_default();
            line.update(context, transport, task, is_local);
        }
        if run.state.is_final() {
            return Ok(run);
        }
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if context.interrupt.is_set() {
                return cancel(context, transport, run_id);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // Polling a local workspace costs nothing; a remote one is polled less and less often.
        if !is_local {
            pause = (pause * 3 / 2).min(LATEST);
        }
    }
}

/// Cancels the run and waits for its end, so that no run is left behind.
fn cancel(context: &Context, transport: &dyn Transport, run_id: i64) -> anyhow::Result<Run> {
    context
        .ui
        .status("Cancelling", &format!("job run {run_id}"));
    jobs::cancel(transport, run_id)?;
    let deadline = Instant::now() + CANCEL;
    while Instant::now() < deadline {
        if jobs::run(transport, run_id)?.state.is_final() {
            return Failure::interrupted(format!("interrupted; cancelled job run {run_id}")).err();
        }
        std::thread::sleep(SOONEST);
    }
    Failure::interrupted(format!(
        "interrupted; job run {run_id} is still being cancelled"
    ))
    .next(format!("cargo xtask logs run:{run_id}"))
    .err()
}

#[derive(Default)]
struct TaskLine {
    progress: Option<Progress>,
    finished: bool,
    offset: u64,
    cells: Cells,
}

/// The progress of a notebook.
#[derive(Debug, Default)]
struct Cells {
    total: usize,
    current: Option<usize>,
    title: String,
}

impl TaskLine {
    fn update(
        &mut self,
        context: &Context,
        transport: &dyn Transport,
        task: &Task,
        is_local: bool,
    ) {
        if self.finished {
            return;
        }
        let key = &task.task_key;
        if task.state.is_final() {
            self.finished = true;
            if let Some(progress) = self.progress.take() {
                progress.clear();
            }
            context
                .ui
                .status_toned(&verb(task), &outcome(task), tone(task));
        } else if task.state.life_cycle_state == "RUNNING" {
            let progress = self
                .progress
                .get_or_insert_with(|| context.ui.progress("Running", key));
            if is_local && context.ui.is_moving() {
                // Events that cannot be read now are read with the next poll.
                if let Ok(events) = local::events(transport, task.run_id, self.offset) {
                    self.offset = events.next_offset;
                    notebook_events::parse(&events.lines).for_each(|event| self.cells.see(event));
                }
                progress.message(format!("{key}  {}", self.cells.describe()));
            }
        }
    }
}

impl Cells {
    /// Applies one event.
    fn see(&mut self, event: Event) {
        match event {
            Event::Notebook { cells, .. } => self.total = cells,
            Event::CellStarted {
                cell,
                title,
                source,
            } => {
                self.current = Some(cell);
                let first = source.lines().map(str::trim).find(|line| !line.is_empty());
                let start = || first.unwrap_or_default().chars().take(50).collect();
                self.title = title.unwrap_or_else(start);
            }
            _ => {}
        }
    }

    fn describe(&self) -> String {
        match self.current {
            Some(cell) => format!("cell {}/{}  {}", cell + 1, self.total, self.title),
            None => String::new(),
        }
    }
}

/// How long a task ran; `None` where it never started.
pub(crate) fn duration(task: &Task) -> Option<Duration> {
    let milliseconds = u64::try_from(task.end_time.checked_sub(task.start_time)?).ok()?;
    (task.start_time > 0 && task.end_time > 0).then(|| Duration::from_millis(milliseconds))
}

fn verb(task: &Task) -> String {
    match task.state.word() {
        "SUCCESS" => "Done".to_owned(),
        "UPSTREAM_FAILED" | "UPSTREAM_CANCELED" | "EXCLUDED" | "SKIPPED" => "Skipped".to_owned(),
        "CANCELED" => "Cancelled".to_owned(),
        "TIMEDOUT" => "Timed out".to_owned(),
        _ => "Failed".to_owned(),
    }
}

fn tone(task: &Task) -> Tone {
    match task.state.word() {
        "SUCCESS" => Tone::Good,
        "UPSTREAM_FAILED" | "UPSTREAM_CANCELED" | "EXCLUDED" | "SKIPPED" | "CANCELED" => {
            Tone::Warning
        }
        _ => Tone::Bad,
    }
}

fn outcome(task: &Task) -> String {
    let took = duration(task)
        .map(|took| format!("  {}", seconds(took)))
        .unwrap_or_default();
    let message = task.state.state_message.lines().next().unwrap_or_default();
    match task.state.is_success() || message.is_empty() {
        true => format!("{}{took}", task.task_key),
        false => format!("{}{took}  {message}", task.task_key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_cell_is_told_by_its_title_or_its_first_line() {
        let mut cells = Cells::default();
        cells.see(Event::Notebook {
            path: "/x".into(),
            cells: 4,
        });
        let source = "\nimport mlflow\n".to_owned();
        cells.see(Event::CellStarted {
            cell: 1,
            title: None,
            source: source.clone(),
        });
        assert_eq!(cells.describe(), "cell 2/4  import mlflow");
        cells.see(Event::CellStarted {
            cell: 2,
            title: Some("Fit".into()),
            source,
        });
        assert_eq!(cells.describe(), "cell 3/4  Fit");
    }

    #[test]
    fn a_task_that_never_started_has_no_duration() {
        let task = |start_time, end_time| Task {
            run_id: 1,
            task_key: "Train".to_owned(),
            state: jobs::State::default(),
            start_time,
            end_time,
            notebook_task: None,
            for_each_task: None,
            run_page_url: String::new(),
        };
        assert_eq!(duration(&task(0, 0)), None);
        assert_eq!(
            duration(&task(1000, 3500)),
            Some(Duration::from_millis(2500))
        );
    }
}
