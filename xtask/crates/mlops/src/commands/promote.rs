//! `cargo xtask promote`: a model version, or the code, into the next environment; and back.

mod ask;
mod code;
mod ends;
mod evidence;
mod history;
mod model;
mod plan_file;
mod show;
mod undo;
mod via_ci;
mod watch;

use crate::context::Context;
use crate::tools::Need;

/// Options of `promote`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Model version to promote [default: the source's champion].
    #[arg(conflicts_with_all = ["code", "undo", "history"])]
    pub(crate) version: Option<u64>,
    /// Target to promote from.
    #[arg(long, value_name = "TARGET")]
    pub(crate) from: Option<String>,
    /// Target to promote to [default: the source's `promotes-to` in xtask.toml].
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: Option<String>,
    /// Make this target's challenger its champion.
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["from", "to"])]
    pub(crate) within: Option<String>,
    /// Promote code: open a pull request between the targets' branches.
    #[arg(long)]
    pub(crate) code: bool,
    /// Revert the newest promotion, or the one with this ID.
    ///
    /// With `--code`, the ID is the commit to return to.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub(crate) undo: Option<String>,
    /// List past promotions to a target.
    #[arg(long, conflicts_with_all = ["code", "undo"])]
    pub(crate) history: bool,
    /// Run the promotion in GitHub Actions and watch it.
    #[arg(long, conflicts_with_all = ["code", "undo", "history", "plan", "break_lock"])]
    pub(crate) via_ci: bool,
    /// Promotion ID, set by the caller of the workflow.
    #[arg(long, value_name = "ID", hide = true, value_parser = via_ci::id)]
    pub(crate) id: Option<via_ci::Id>,
    /// Apply the plan in this file; with `--dry-run`, write the plan to it.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<camino::Utf8PathBuf>,
    /// With `--code`, merge the pull request once checks and reviews pass.
    #[arg(long, requires = "code")]
    pub(crate) merge: bool,
    /// With `--code`, exit without watching the checks and the deployment.
    #[arg(long, requires = "code")]
    pub(crate) no_wait: bool,
    /// Take over the destination's lock with the ID from the error.
    #[arg(long, value_name = "ID")]
    pub(crate) break_lock: Option<String>,
    /// Print the plan and exit.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let args = &ask::what(context, args)?;
    if args.code {
        return code::run(context, args);
    }
    match (&args.undo, args.history) {
        (Some(id), _) => undo::run(context, args, id),
        (None, true) => history::run(context, args),
        (None, false) => model::run(context, args),
    }
}

/// What it takes to move a version's files and to predict with it; a dry run does neither.
fn needs(args: &Args) -> &'static [Need] {
    match args.dry_run {
        true => &[],
        false => Need::FOR_A_MODEL,
    }
}
