//! `cargo xtask workspace reset`: shows what a local workspace holds, asks, and removes it.

use std::time::Duration;

use camino::Utf8Path;
use xtask_remote::databricks::models;
use xtask_remote::local;

use crate::bundle;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::local_workspace::{self, LocalWorkspace};
use crate::tools::megabytes;
use crate::ui::{Tone, safe_line};

/// How long the workspace may take to say which models it has: they are in MLflow, which may be starting.
const LOOK: Duration = Duration::from_secs(20);

/// Runs the command.
///
/// # Errors
/// [`Kind::Interrupted`] when the answer was no, or could not be asked for.
pub(super) fn run(context: &Context, profile: &str) -> anyhow::Result<()> {
    let called = local_workspace::called(context, profile);
    let state = local_workspace::state_folder(context, profile);
    if !state.exists() {
        context.ui.status(
            "Nothing",
            &format!("to remove: there is no state of {called} yet"),
        );
        return Ok(());
    }
    let running = local_workspace::find(context, profile)?;
    let targets = targets(context, profile);
    show(context, &state, &targets);
    if let Some(workspace) = &running {
        show_running(context, workspace);
    }
    let question = format!("Remove {called} with all of this?");
    if !context.ui.confirm(&question, false)? {
        let again = local_workspace::command(context, "reset", profile);
        return Failure::new(Kind::Interrupted, "nothing was removed")
            .next(format!("{again} --yes"))
            .err();
    }
    if let Some(workspace) = local_workspace::find(context, profile)? {
        local_workspace::stop(context, &workspace)?;
    }
    fs_err::remove_dir_all(&state)?;
    forget_deployments(context, profile, &targets)?;
    context
        .ui
        .status("Removed", &format!("the state of {called}"));
    Ok(())
}

/// The targets that live there; none where the bundle cannot be read.
fn targets(context: &Context, profile: &str) -> Vec<String> {
    let targets = bundle::targets(context).unwrap_or_default();
    let there = targets
        .into_iter()
        .filter(|target| target.place.local() == Some(profile));
    there.map(|target| target.name).collect()
}

/// Shows what its folder holds, a line each.
fn show(context: &Context, state: &Utf8Path, targets: &[String]) {
    let delete = context.ui.paint("delete", Tone::Bad);
    let line = |what: &str| context.ui.line(&format!("  {delete} {}", safe_line(what)));
    for target in targets {
        let branch = context.config.targets.get(target);
        let branch = branch.and_then(|target| target.branch.as_ref());
        let fed = branch.map_or_else(String::new, |branch| format!(", which {branch} feeds"));
        line(&format!("what is deployed to target {target}{fed}"));
    }
    let volumes = state.join("volumes");
    for catalog in folders(&volumes) {
        for schema in folders(&volumes.join(&catalog)) {
            for volume in folders(&volumes.join(&catalog).join(&schema)) {
                let size = size(&volumes.join(&catalog).join(&schema).join(&volume));
                let size = megabytes(size);
                line(&format!("volume {catalog}.{schema}.{volume}  {size}"));
            }
        }
    }
    let place = state.strip_prefix(&context.root).unwrap_or(state);
    let size = megabytes(size(state));
    line(&format!(
        "{place}, {size} in total: jobs, runs, experiments, models, volumes, files"
    ));
}

/// Shows what only a running workspace can tell. One that does not is removed all the same.
fn show_running(context: &Context, workspace: &LocalWorkspace) {
    let ui = &context.ui;
    let (delete, end) = (ui.paint("delete", Tone::Bad), ui.paint("end", Tone::Bad));
    for model in models::names(&workspace.http, LOOK).unwrap_or_default() {
        let versions = match models::versions(&workspace.http, &model) {
            Ok(versions) => format!(", {}", crate::words::count(versions.len(), "version")),
            Err(_) => String::new(),
        };
        ui.line(&format!("  {delete} model {}{versions}", safe_line(&model)));
    }
    match local::status(&workspace.http).map(|status| status.active_runs) {
        Ok(0) | Err(_) => {}
        Ok(1) => ui.line(&format!("  {end} 1 job run that is active")),
        Ok(count) => ui.line(&format!("  {end} {count} job runs that are active")),
    }
}

fn folders(parent: &Utf8Path) -> Vec<String> {
    let entries = parent.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().to_owned())
        .collect();
    names.sort();
    names
}

/// Bytes of the files below a folder.
fn size(folder: &Utf8Path) -> u64 {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => size(entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Removes the CLI's notes of what it deployed to the workspace that is gone: it would otherwise
/// look for jobs that do not exist any more.
fn forget_deployments(context: &Context, profile: &str, targets: &[String]) -> anyhow::Result<()> {
    remove_if_there(&local_workspace::copies(context, profile))?;
    // Those of a CLI that was called without us.
    let notes = context.root.join(".databricks").join("bundle");
    for target in targets {
        remove_if_there(&notes.join(target))?;
    }
    remove_if_there(&context.local().join("cache").join("databricks"))
}

fn remove_if_there(folder: &Utf8Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs_err::remove_dir_all(folder)?;
    }
    Ok(())
}
