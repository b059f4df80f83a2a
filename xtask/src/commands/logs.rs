//! `cargo xtask logs`: what a job run's notebooks printed, or the log of a check; alone, the newest
//! failed job run.

mod check;

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
    /// `run:ID` for a job run, `check:NAME` for a check of this branch on GitHub; the newest failed job
    /// run when left out.
    #[arg(value_parser = what)]
    what: Option<What>,
    /// The target of the bundle; the one that `test` deploys to when left out.
    #[arg(long, short)]
    target: Option<String>,
}

/// Whose log.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A job run's.
    Run(i64),
    /// A check's.
    Check(String),
}

/// Runs the command.
///
/// # Errors
/// When there is no such run or check.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.what {
        Some(What::Check(name)) => check::show(context, name),
        Some(What::Run(id)) => job_run(context, args, Some(*id)),
        None => job_run(context, args, None),
    }
}

fn job_run(context: &Context, args: &Args, id: Option<i64>) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let name = args
        .target
        .as_ref()
        .unwrap_or(&context.config.test.integration_target);
    let target = Target::open(context, &toolbox, name)?;
    let transport = target.transport();
    let run = match id {
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

fn what(text: &str) -> Result<What, String> {
    let run = |id: &str| id.parse().ok().map(What::Run);
    let check = |name: &str| (!name.is_empty()).then(|| What::Check(name.to_owned()));
    text.strip_prefix("run:")
        .and_then(run)
        .or_else(|| text.strip_prefix("check:").and_then(check))
        .ok_or_else(|| format!("\"{text}\" is neither run:ID nor check:NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_may_be_called_anything() {
        assert_eq!(what("run:7"), Ok(What::Run(7)));
        assert_eq!(what("check:run:7"), Ok(What::Check("run:7".to_owned())));
        assert_eq!(
            what("check:Unit tests"),
            Ok(What::Check("Unit tests".to_owned()))
        );
        assert!(what("run:x").is_err() && what("check:").is_err() && what("7").is_err());
    }
}
