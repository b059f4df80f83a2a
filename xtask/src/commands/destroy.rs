//! `cargo xtask destroy`: removes from a workspace what the bundle deployed there.

use xtask_remote::Transport;
use xtask_remote::databricks::registry::Registry;

use crate::context::Context;
use crate::databricks::{Resources, Target};
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

/// A registered model with its versions: Unity Catalog deletes a model only when it has none.
struct Versions {
    registry: Registry,
    model: String,
    numbers: Vec<u64>,
}

/// Runs the command.
///
/// # Errors
/// When the answer was no, or could not be asked for and `--yes` was not given.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let target = Target::open(context, &toolbox, &args.target)?;
    let resources = target.summary()?.resources;
    let deployed = deployed(&resources);
    if deployed.is_empty() {
        let what = format!("of the bundle is deployed to {}", target.name);
        context.ui.status("Nothing", &what);
        return Ok(());
    }
    let transport = target.transport();
    let versions = versions(&*transport, &resources)?;
    for (kind, name) in &deployed {
        context.ui.line(&format!("  remove {kind} {name}"));
    }
    for Versions { model, numbers, .. } in &versions {
        context
            .ui
            .line(&format!("  remove {} versions of {model}", numbers.len()));
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
    for of in &versions {
        for number in &of.numbers {
            of.registry
                .delete_version(&*transport, &of.model, *number)?;
        }
    }
    target.destroy(|line| progress.message(line))?;
    progress.finish("Destroyed", &format!("target {}", target.name));
    Ok(())
}

/// What is deployed: kind and name.
fn deployed(resources: &Resources) -> Vec<(&'static str, String)> {
    let kinds = [
        ("job", &resources.jobs),
        ("experiment", &resources.experiments),
        ("registered model", &resources.registered_models),
        ("model", &resources.models),
        ("volume", &resources.volumes),
    ];
    let mut deployed = Vec::new();
    for (kind, of_kind) in kinds {
        for resource in of_kind.values() {
            let Some(id) = &resource.id else { continue };
            let name = if resource.name.is_empty() {
                id
            } else {
                &resource.name
            };
            deployed.push((kind, name.clone()));
        }
    }
    deployed
}

fn versions(transport: &dyn Transport, resources: &Resources) -> anyhow::Result<Vec<Versions>> {
    let deployed = [Registry::UnityCatalog, Registry::Workspace]
        .into_iter()
        .flat_map(|registry| {
            let models = resources.models_of(registry).values();
            models.filter_map(move |model| Some((registry, model.id.clone()?)))
        });
    let mut found = Vec::new();
    for (registry, model) in deployed {
        let listed = match registry.versions(transport, &model) {
            // Somebody has removed the model by hand: then it has no versions either.
            Err(error) if error.is_not_found() => continue,
            other => other?,
        };
        let numbers: Vec<u64> = listed.iter().map(|version| version.version).collect();
        if !numbers.is_empty() {
            found.push(Versions {
                registry,
                model,
                numbers,
            });
        }
    }
    Ok(found)
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
