//! `cargo xtask rerun`: the failed checks of this branch once more.

use std::time::Duration;

use crate::commands::status::{CheckState, Checks};
use crate::context::Context;
use crate::error::{Failure, Kind};

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
struct Run {
    id: u64,
    name: String,
    jobs: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// [`Kind::Nothing`] when nothing failed; and what GitHub says.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let progress = context
        .ui
        .progress("Asking", "GitHub for the checks of this branch");
    let checks = Checks::of_this_branch(context)?;
    progress.clear();
    let (runs, others) = plan(&checks);
    for run in &runs {
        let jobs = format!("{}: {}", run.name, run.jobs.join(", "));
        context.ui.status("Failed", &jobs);
    }
    for name in &others {
        context.ui.warn(&format!(
            "{name} failed and is no job of GitHub Actions: run it again where it ran"
        ));
    }
    if runs.is_empty() {
        return Failure::new(
            Kind::Nothing,
            "no job of this branch failed on GitHub Actions",
        )
        .next("cargo xtask status")
        .err();
    }
    if args.dry_run {
        return Ok(());
    }
    let question = match runs.as_slice() {
        [_] => "Run them again?".to_owned(),
        runs => format!("Run them again, in {} workflows?", runs.len()),
    };
    if !context.ui.confirm(&question, true)? {
        return Failure::new(Kind::Interrupted, "nothing was done").err();
    }
    for (index, run) in runs.iter().enumerate() {
        if index > 0 {
            context.interrupt.sleep(BETWEEN);
        }
        context.interrupt.check()?;
        checks.rerun(run.id)?;
        context
            .ui
            .status("Started", &format!("the failed jobs of {}", run.name));
    }
    context.ui.status("Next", "cargo xtask status --watch");
    Ok(())
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
                name: check
                    .workflow
                    .clone()
                    .unwrap_or_else(|| format!("run {id}")),
                jobs: vec![check.name.clone()],
            }),
        }
    }
    (runs, others)
}
