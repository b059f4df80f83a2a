//! `cargo xtask deploy`: puts the bundle on a target's workspace.

use crate::context::Context;
use crate::databricks::Target;
use crate::error::{Failure, Kind};
use crate::tools::{self, Need};
use crate::ui::Tone;

/// Options of `deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The target of the bundle.
    #[arg(long, short, default_value = "dev")]
    target: String,
    /// Show what would change, and stop.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When the bundle is not valid, cannot be deployed, or the answer was no.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let target = Target::open(context, &toolbox, &args.target)?;
    let progress = context
        .ui
        .progress("Planning", &format!("target {}", target.name));
    target.validate()?;
    let plan = target.plan()?;
    progress.clear();

    for line in &plan {
        context.ui.line(&format!("  {line}"));
    }
    if args.dry_run {
        context
            .ui
            .status("Planned", "nothing was changed (--dry-run)");
        return Ok(());
    }
    if !context
        .ui
        .confirm(&format!("Deploy to {}?", target.name), true)?
    {
        return Failure::new(Kind::Interrupted, "nothing was deployed").err();
    }
    apply(context, &target)?;
    show_resources(context, &target)
}

/// Deploys, with progress.
///
/// # Errors
/// What the CLI says.
pub(crate) fn apply(context: &Context, target: &Target<'_>) -> anyhow::Result<()> {
    let progress = context
        .ui
        .progress("Deploying", &format!("target {}", target.name));
    target.deploy(|line| progress.message(format!("target {}  {line}", target.name)))?;
    progress.finish("Deployed", &format!("target {}", target.name));
    Ok(())
}

/// Reads back what is there now.
fn show_resources(context: &Context, target: &Target<'_>) -> anyhow::Result<()> {
    let summary = target.summary()?;
    for (key, job) in &summary.resources.jobs {
        let url = job.url.as_deref().unwrap_or("not deployed");
        context
            .ui
            .line(&format!("  {}  {url}", context.ui.paint(key, Tone::Strong)));
    }
    if let Some((key, _)) = summary.resources.jobs.first_key_value() {
        context.ui.status(
            "Next",
            &format!("cargo xtask run {key} --target {}", target.name),
        );
    }
    Ok(())
}
