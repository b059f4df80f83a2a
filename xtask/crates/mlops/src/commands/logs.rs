//! `cargo xtask logs`: what a job run's notebooks printed, or the log of a check; alone, the newest
//! failed job run.

mod check;

use std::borrow::Cow;

use xtask_remote::Transport;
use xtask_remote::databricks::jobs::{self, Run, Task};

use crate::bundle;
use crate::context::Context;
use crate::databricks::Target;
use crate::notebook_events::{self, Event};
use crate::ui::{Tone, safe_line};

/// Options of `logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Log to show: `run:ID` or `check:NAME` [default: the newest failed job run].
    ///
    /// `run:ID` is a job run on the target, `check:NAME` a check of this branch on GitHub.
    #[arg(value_parser = what)]
    what: Option<What>,
    /// Bundle target of the job run [default: the target of `test`].
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
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.what {
        Some(What::Check(name)) => check::show(context, name),
        Some(What::Run(id)) => job_run(context, args, Some(*id)),
        None => job_run(context, args, None),
    }
}

fn job_run(context: &Context, args: &Args, id: Option<i64>) -> anyhow::Result<()> {
    let name = args
        .target
        .as_ref()
        .unwrap_or(&context.config.test.integration_target);
    let toolbox = bundle::ready(context, &[name], &[])?;
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
    show(context, &*transport, &run.tasks, &[]);
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

/// How deep loops and the jobs that jobs run are followed.
const DEEPEST: usize = 8;

/// What each task did. A loop's iterations and the tasks of another job's run stand below the task that ran them.
fn show(context: &Context, transport: &dyn Transport, tasks: &[Task], within: &[String]) {
    for task in tasks {
        let path = [within, std::slice::from_ref(&task.task_key)].concat();
        one(context, transport, task, &path);
    }
}

fn one(context: &Context, transport: &dyn Transport, task: &Task, path: &[String]) {
    let ui = &context.ui;
    let name = ui.paint(&safe_line(&path.join(" / ")), Tone::Strong);
    ui.answer(&format!("{name} {}", task.state.word()));
    let events = notebook_events::of_task(transport, task.run_id);
    let output = jobs::output(transport, task.run_id).unwrap_or_default();
    if events.is_empty() {
        // Databricks keeps no events; what it keeps is the task's output.
        for text in [
            &output.logs,
            &output.notebook_output.result,
            &output.error_trace,
        ] {
            if !text.is_empty() {
                ui.answer(&foreign(text.trim_end()));
            }
        }
    }
    let told = events
        .iter()
        .any(|event| matches!(event, Event::Error { .. }));
    replay(context, &events);
    // Where the code says nothing of it: it never began, or something else ended it.
    if task.state.is_final() && !task.state.is_success() && !told && output.error_trace.is_empty() {
        let why = [&output.error, &task.state.state_message];
        if let Some(why) = why.into_iter().find(|why| !why.is_empty()) {
            ui.answer(&format!(
                "{} {}",
                ui.paint("failed:", Tone::Bad),
                foreign(why.trim_end())
            ));
        }
    }
    if path.len() > DEEPEST {
        return;
    }
    if task.for_each_task.is_some() {
        match jobs::iterations(transport, task.run_id) {
            Ok(iterations) => {
                for (index, iteration) in iterations.iter().enumerate() {
                    let number = format!("{} of {}", index + 1, iterations.len());
                    one(context, transport, iteration, &[path, &[number]].concat());
                }
            }
            Err(error) => ui.warn(&format!("its iterations cannot be read: {error}")),
        }
    }
    if let Some(child) = output.run_job_output {
        match jobs::run(transport, child.run_id) {
            Ok(run) => show(context, transport, &run.tasks, path),
            Err(error) => ui.warn(&format!("job run {} cannot be read: {error}", child.run_id)),
        }
    }
}

/// What a notebook did, as it was: text that was printed piece by piece is one text.
fn replay(context: &Context, events: &[Event]) {
    let ui = &context.ui;
    let mut printed = String::new();
    let flush = |printed: &mut String| {
        if !printed.is_empty() {
            ui.answer(&foreign(printed.strip_suffix('\n').unwrap_or(printed)));
            printed.clear();
        }
    };
    for event in events {
        if let Event::Stream { text } = event {
            printed.push_str(text);
            continue;
        }
        flush(&mut printed);
        match event {
            Event::CellStarted {
                cell,
                title,
                source,
            } => {
                let first = source.lines().find(|line| !line.trim().is_empty());
                let title = title.as_deref().or(first).unwrap_or_default();
                let title = safe_line(title);
                ui.answer(&ui.paint(&format!("── cell {}  {title}", cell + 1), Tone::Dim));
            }
            Event::Error {
                line, traceback, ..
            } => {
                let line = line
                    .map(|line| format!(" at line {line}"))
                    .unwrap_or_default();
                ui.answer(&ui.paint(&format!("failed{line}"), Tone::Bad));
                ui.answer(&foreign(&traceback.join("\n")));
            }
            Event::Exit { value } => ui.answer(&format!("exit {}", foreign(value))),
            Event::Stream { .. } | Event::Notebook { .. } | Event::Other => {}
        }
    }
    flush(&mut printed);
}

/// Text of others: its colours end with it.
fn foreign(text: &str) -> Cow<'_, str> {
    match text.contains("\u{1b}[") {
        true => Cow::Owned(format!("{text}\u{1b}[0m")),
        false => Cow::Borrowed(text),
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
