//! `cargo xtask destroy`: removes from a workspace what the bundle deployed there.

use crate::context::Context;
use crate::databricks::{Resource, Target};
use crate::error::{Failure, Kind};
use crate::tools::{self, Need};

/// Options of `destroy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The target of the bundle.
    #[arg(long, short)]
    target: String,
    /// Show what would be removed, and stop.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When the answer was no, or could not be asked for and `--yes` was not given.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let target = Target::open(context, &toolbox, &args.target)?;
    let resources = target.summary()?.resources;
    let deployed: Vec<(&str, &Resource)> = [
        ("job", &resources.jobs),
        ("experiment", &resources.experiments),
        ("registered model", &resources.registered_models),
        ("volume", &resources.volumes),
    ]
    .into_iter()
    .flat_map(|(kind, of_kind)| of_kind.values().map(move |resource| (kind, resource)))
    .filter(|(_, resource)| resource.id.is_some())
    .collect();
    if deployed.is_empty() {
        context.ui.status(
            "Nothing",
            &format!("of the bundle is deployed to {}", target.name),
        );
        return Ok(());
    }
    for (kind, resource) in &deployed {
        let name = if resource.name.is_empty() {
            resource.id.as_deref()
        } else {
            Some(resource.name.as_str())
        };
        context
            .ui
            .line(&format!("  remove {kind} {}", name.unwrap_or_default()));
    }
    if args.dry_run {
        context
            .ui
            .status("Planned", "nothing was removed (--dry-run)");
        return Ok(());
    }
    confirm(context, &target)?;
    let progress = context
        .ui
        .progress("Destroying", &format!("target {}", target.name));
    target.destroy(|line| progress.message(line))?;
    progress.finish("Destroyed", &format!("target {}", target.name));
    Ok(())
}

/// What is removed does not come back: without a terminal it takes `--yes`, never a default.
fn confirm(context: &Context, target: &Target<'_>) -> anyhow::Result<()> {
    let question = format!("Remove all of this from {}, with its data?", target.name);
    if context.ui.confirm(&question, false)? {
        return Ok(());
    }
    Failure::new(Kind::Interrupted, "nothing was removed")
        .next(format!(
            "cargo xtask destroy --target {} --yes",
            target.name
        ))
        .err()
}
