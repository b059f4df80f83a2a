//! Why a job run failed: which task, notebook, cell and line, and what it printed last.

use xtask_remote::Transport;
use xtask_remote::databricks::jobs::{self, Run, Task};

use crate::error::{self};
use crate::notebook_events::{self, Event};
use crate::results::TaskFailure;

/// How many lines of output a failure shows.
const SHOWN_LINES: usize = 20;

/// The failing tasks of a run, by key, in the order of the run.
#[derive(Debug)]
pub(crate) struct TaskFailures(pub(crate) Vec<(String, TaskFailure)>);

/// Asks for the failing tasks of a run. Tasks skipped because another one failed are left out.
pub(crate) fn of_run(transport: &dyn Transport, run: &Run) -> TaskFailures {
    let failed = run.tasks.iter().filter(|task| {
        matches!(task.state.result_state.as_str(), "FAILED" | "TIMEDOUT")
            || task.state.life_cycle_state == "INTERNAL_ERROR"
    });
    TaskFailures(
        failed
            .map(|task| (task.task_key.clone(), of_task(transport, task)))
            .collect(),
    )
}

fn of_task(transport: &dyn Transport, task: &Task) -> TaskFailure {
    // Without an output, the state's own message remains.
    let output = jobs::output(transport, task.run_id).unwrap_or_default();
    let mut failure = TaskFailure {
        notebook: task
            .notebook_task
            .as_ref()
            .map(|notebook| notebook.notebook_path.clone()),
        error: first_of([&output.error, &task.state.state_message]),
        output: last_lines(first_of([&output.error_trace, &output.logs]).as_str()),
        ..TaskFailure::default()
    };
    for event in notebook_events::of_task(transport, task.run_id) {
        if let Event::Error {
            cell,
            line,
            ename,
            evalue,
            traceback,
        } = event
        {
            failure.cell = Some(cell + 1);
            failure.line = line;
            failure.error = format!("{ename}: {evalue}");
            failure.output = last_lines(&traceback.join("\n"));
        }
    }
    failure
}

impl TaskFailures {
    /// Why a task failed; `None` where it did not.
    pub(crate) fn of(&self, key: &str) -> Option<TaskFailure> {
        self.0
            .iter()
            .find(|(task, _)| task == key)
            .map(|(_, failure)| failure.clone())
    }

    /// The error of a command whose job run failed; `next` is what to type once the cause is fixed.
    pub(crate) fn into_error<T>(self, run: &Run, next: Option<&str>) -> anyhow::Result<T> {
        let logs = format!("cargo xtask logs run:{}", run.run_id);
        let Some((task, failure)) = self.0.into_iter().next() else {
            let what = format!("job run {} ended as {}", run.run_id, run.state.word());
            let failure = error::Failure::failed(what);
            let failure = failure.details(run.state.state_message.clone());
            return match next {
                Some(next) => failure.next(next).err(),
                None => failure.next(logs).err(),
            };
        };
        let mut place = format!("task {task} failed");
        if let Some(notebook) = &failure.notebook {
            place.push_str(&format!(
                " in {}",
                notebook.rsplit('/').next().unwrap_or(notebook)
            ));
        }
        if let Some(cell) = failure.cell {
            place.push_str(&format!(", cell {cell}"));
        }
        if let Some(line) = failure.line {
            place.push_str(&format!(", line {line}"));
        }
        let failed = error::Failure::failed(format!("{place}: {}", failure.error))
            .details(failure.output)
            .next(logs);
        match next {
            Some(next) => failed.next(next).err(),
            None => failed.err(),
        }
    }
}

fn first_of(texts: [&String; 2]) -> String {
    texts
        .into_iter()
        .find(|text| !text.trim().is_empty())
        .cloned()
        .unwrap_or_default()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
