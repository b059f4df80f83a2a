//! `cargo xtask rerun`: the failed checks of this branch once more.

use std::time::Duration;

use serde::Serialize;

use crate::checks::Checks;
use crate::checks::facts::CheckState;
use crate::context::Context;
use crate::error::Failure;
use crate::steps::Steps;

/// GitHub asks to leave this much between two calls that change something.
const BETWEEN: Duration = Duration::from_secs(1);

/// Options of `rerun`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Re-run failed jobs and the jobs that depend on them.
    #[arg(long, required = true)]
    failed: bool,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
}

/// A workflow's run with failed jobs.
#[derive(Debug, Serialize)]
struct Run {
    id: u64,
    workflow: String,
    jobs: Vec<String>,
}

/// What `--json` prints; docs/status.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `started` or `planned`.
    outcome: &'static str,
    runs: Vec<&'a Run>,
    /// Failed checks that are no jobs of GitHub Actions.
    elsewhere: &'a [String],
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let progress = context
        .ui
        .progress("Asking", "GitHub for the checks of this branch");
    let checks = Checks::of_this_branch(context)?;
    progress.clear();
    let (runs, elsewhere) = plan(&checks);
    for name in &elsewhere {
        context.ui.warn(&format!(
            "{name} failed outside of GitHub Actions: run it again there"
        ));
    }
    if runs.is_empty() {
        return Failure::nothing("no job of this branch failed on GitHub Actions")
            .next("cargo xtask status")
            .err();
    }
    let steps = Steps::new(runs, |run| {
        format!("run {} of {} again", run.jobs.join(", "), run.workflow)
    });
    steps.show(&context.ui);
    let answer = |outcome| {
        context.ui.json(&Answer {
            version: 1,
            outcome,
            runs: steps.iter().collect(),
            elsewhere: &elsewhere,
        })
    };
    if args.dry_run {
        context.ui.only_planned();
        return answer("planned");
    }
    context.ui.agree("Do this?", true)?;
    let mut last = None;
    steps.apply(context, |run| {
        if last.replace(run.id).is_some() {
            context.interrupt.sleep(BETWEEN);
            context.interrupt.check()?;
        }
        checks.rerun(run.id)?;
        let what = format!("the failed jobs of {}", run.workflow);
        context.ui.status("Started", &what);
        Ok(())
    })?;
    context.ui.status("Next", "cargo xtask status --watch");
    answer("started")
}

/// The runs to be repeated, and the failed checks that are none.
fn plan(checks: &Checks) -> (Vec<Run>, Vec<String>) {
    let (mut runs, mut others): (Vec<Run>, Vec<String>) = (Vec::new(), Vec::new());
    let failed = checks
        .github
        .checks
        .iter()
        .filter(|check| check.state == CheckState::Failed);
    for check in failed {
        let Some(id) = check.run_id.filter(|_| check.job_id.is_some()) else {
            others.push(check.label.clone());
            continue;
        };
        match runs.iter_mut().find(|run| run.id == id) {
            Some(run) => run.jobs.push(check.name.clone()),
            None => runs.push(Run {
                id,
                workflow: check
                    .workflow
                    .clone()
                    .unwrap_or_else(|| format!("run {id}")),
                jobs: vec![check.name.clone()],
            }),
        }
    }
    (runs, others)
}
