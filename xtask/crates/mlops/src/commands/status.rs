//! `cargo xtask status`: one screen about the branch, its pull request and checks, and the environments.

use std::time::{Duration, Instant};

use crate::checks::Checks;
use crate::checks::facts::Verdict;
use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::{overview, process};

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Refresh until the checks finish.
    ///
    /// The exit code is that of the checks, as with `--exit-status`.
    #[arg(long, short)]
    watch: bool,
    /// With `--watch`, exit at the first failed check.
    #[arg(long, requires = "watch")]
    fail_fast: bool,
    /// With `--watch`, exit after this many minutes.
    #[arg(long, value_name = "MINUTES", requires = "watch")]
    timeout: Option<u64>,
    /// Open the pull request, or the branch, in the browser.
    #[arg(long, conflicts_with_all = ["json", "watch"])]
    web: bool,
    /// Show what a deployment would change on every target.
    ///
    /// Always shown for targets on the local workspace, and with `--json` and `--watch`.
    #[arg(long)]
    drift: bool,
    /// Exit with the status of the checks.
    ///
    /// 0: passed, 1: failed, 5: no checks, 8: pending.
    #[arg(long)]
    exit_status: bool,
}

/// Runs the command.
/// A service that does not answer is told and is no error.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let git = Git::open(context)?;
    if args.watch {
        return watch(context, &git, args);
    }
    if args.web {
        return web(context);
    }
    let json = context.ui.wants_json();
    let facts = overview::look(context, &git, args.drift || json, !json)?;
    context.ui.json(&facts)?;
    match args.exit_status {
        true => overview::ended(&facts),
        false => Ok(()),
    }
}

/// Looks until the checks have ended.
fn watch(context: &Context, git: &Git, args: &Args) -> anyhow::Result<()> {
    let until = args
        .timeout
        .map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    let (facts, answered) = overview::to_the_end(context, git, until, args.fail_fast, true)?;
    let lines = overview::lines(context, &facts);
    lines.iter().for_each(|line| context.ui.answer(line));
    context.ui.json(&facts)?;
    let is_open = matches!(facts.verdict, Verdict::Pending | Verdict::Unknown);
    if answered && until.is_some_and(|until| Instant::now() >= until) && is_open {
        return Failure::pending("the checks have not ended in the time that was given")
            .next("cargo xtask status --watch")
            .err();
    }
    overview::ended(&facts)
}

/// Opens the page of the pull request, or of the repository where there is none.
fn web(context: &Context) -> anyhow::Result<()> {
    let checks = Checks::of_this_branch(context)?;
    let pull = checks.github.pull_request.as_ref();
    let url = pull.map_or(&checks.github.url, |pull| &pull.url);
    // The address is the answer where no browser opens.
    if !context.ui.can_ask() || !process::browse(&context.env, url) {
        context.ui.answer(url);
    } else {
        context.ui.status("Opened", url);
    }
    Ok(())
}
