//! `cargo xtask logs`: what a job run's notebooks printed; alone, the newest failure.

use xtask_remote::Transport;
use xtask_remote::databricks::jobs::{self, Run, Task};

use crate::context::Context;
use crate::databricks::Target;
use crate::notebook_events::{self, Event};
use crate::tools::{self, Need};
use crate::ui::Tone;

/// Options of `logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `run:ID` for one job run; the newest failed one when left out.
    #[arg(value_parser = run_id)]
    what: Option<i64>,
    /// The target of the bundle; the one that `test` deploys to when left out.
    #[arg(long, short)]
    target: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such run.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let name = args
        .target
        .as_ref()
        .unwrap_or(&context.config.test.integration_target);
    let target = Target::open(context, &toolbox, name)?;
    let transport = target.transport();
    let run = match args.what {
        Some(id) => jobs::run(&*transport, id)?,
        None => match newest_failure(&*transport)? {
            Some(run) => run,
            None => {
                context
                    .ui
                    .status("Nothing", "failed among the newest 25 job runs");
                return Ok(());
            }
        },
    };
    context.ui.status(
        "Job run",
        &format!(
            "{}  {}",
            run.state.word(),
            target.readable_link(&run.run_page_url)
        ),
    );
    for task in &run.tasks {
        show(context, &*transport, task);
    }
    Ok(())
}

fn newest_failure(transport: &dyn Transport) -> anyhow::Result<Option<Run>> {
    let runs = jobs::newest_runs(transport, None)?;
    let failed = runs
        .into_iter()
        .find(|run| run.state.is_final() && !run.state.is_success());
    // The list leaves out the tasks.
    Ok(match failed {
        Some(run) => Some(jobs::run(transport, run.run_id)?),
        None => None,
    })
}

fn show(context: &Context, transport: &dyn Transport, task: &Task) {
    let ui = &context.ui;
    ui.answer(&format!(
        "{} {}",
        ui.paint(&task.task_key, Tone::Strong),
        task.state.word()
    ));
    let events = notebook_events::of_task(transport, task.run_id);
    if events.is_empty() {
        // Databricks keeps no events; what it keeps is the task's output.
        if let Ok(output) = jobs::output(transport, task.run_id) {
            for text in [
                output.logs,
                output.notebook_output.result,
                output.error_trace,
            ] {
                if !text.is_empty() {
                    ui.answer(text.trim_end());
                }
            }
        }
        return;
    }
    for event in events {
        match event {
            Event::CellStarted {
                cell,
                title,
                source,
            } => {
                let first = source
                    .lines()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                let title = title.unwrap_or_else(|| first.to_owned());
                ui.answer(&ui.paint(&format!("── cell {}  {title}", cell + 1), Tone::Dim));
            }
            Event::Stream { text } => ui.answer(text.trim_end_matches('\n')),
            Event::Error {
                line, traceback, ..
            } => {
                let line = line
                    .map(|line| format!(" at line {line}"))
                    .unwrap_or_default();
                ui.answer(&ui.paint(&format!("failed{line}"), Tone::Bad));
                ui.answer(&traceback.join("\n"));
            }
            Event::Exit { value } => ui.answer(&format!("exit {value}")),
            Event::Notebook { .. } | Event::Other => {}
        }
    }
}

fn run_id(text: &str) -> Result<i64, String> {
    text.strip_prefix("run:")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| format!("\"{text}\" is not of the form run:ID"))
}
