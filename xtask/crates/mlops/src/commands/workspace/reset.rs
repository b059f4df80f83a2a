//! `cargo xtask workspace reset`: shows what a local workspace holds, asks, and removes it.

use std::time::Duration;

use camino::Utf8Path;
use serde::Serialize;
use xtask_remote::databricks::models;
use xtask_remote::local;

use crate::bundle;
use crate::context::Context;
use crate::local_workspace::{self, LocalWorkspace};
use crate::tools::megabytes;
use crate::ui::{Tone, safe_line};

/// How long the workspace may take to say which models it has: they are in MLflow, which may be starting.
const LOOK: Duration = Duration::from_secs(20);

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `removed`, `planned` or `nothing`.
    outcome: &'static str,
    profile: &'a str,
    /// What is removed, in words.
    removes: &'a [String],
}

/// Runs the command.
pub(super) fn run(context: &Context, profile: &str, dry_run: bool) -> anyhow::Result<()> {
    let ui = &context.ui;
    let called = local_workspace::called(context, profile);
    let state = local_workspace::state_folder(context, profile);
    let answer = |outcome, removes: &[String]| {
        ui.json(&Answer {
            version: 1,
            outcome,
            profile,
            removes,
        })
    };
    if !state.exists() {
        ui.status(
            "Nothing",
            &format!("to remove: there is no state of {called} yet"),
        );
        return answer("nothing", &[]);
    }
    let running = local_workspace::find(context, profile)?;
    let targets = targets(context, profile);
    let mut removes = on_disk(context, &state, &targets);
    if let Some(workspace) = &running {
        removes.extend(models_of(workspace));
    }
    for what in &removes {
        ui.line(&format!("  {} {what}", ui.paint("delete", Tone::Bad)));
    }
    if let Some(runs) = running.as_ref().and_then(active_runs) {
        ui.line(&format!("  {} {runs}", ui.paint("end", Tone::Bad)));
    }
    if dry_run {
        ui.only_planned();
        return answer("planned", &removes);
    }
    ui.agree(&format!("Remove {called} with all of this?"), false)?;
    if let Some(workspace) = local_workspace::find(context, profile)? {
        local_workspace::stop(context, &workspace)?;
    }
    fs_err::remove_dir_all(&state)?;
    forget_deployments(context, profile, &targets)?;
    ui.status("Removed", &format!("the state of {called}"));
    answer("removed", &removes)
}

/// The targets that live there; none where the bundle cannot be read.
fn targets(context: &Context, profile: &str) -> Vec<String> {
    let targets = bundle::targets(context).unwrap_or_default();
    let there = targets
        .into_iter()
        .filter(|target| target.workspace.local() == Some(profile));
    there.map(|target| target.name).collect()
}

/// What its folder holds, a line each.
fn on_disk(context: &Context, state: &Utf8Path, targets: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for target in targets {
        let branch = context.config.targets.get(target);
        let branch = branch.and_then(|target| target.branch.as_ref());
        let fed = branch.map_or_else(String::new, |branch| format!(", which {branch} feeds"));
        lines.push(format!("what is deployed to target {target}{fed}"));
    }
    let volumes = state.join("volumes");
    for catalog in folders(&volumes) {
        for schema in folders(&volumes.join(&catalog)) {
            for volume in folders(&volumes.join(&catalog).join(&schema)) {
                let size = size(&volumes.join(&catalog).join(&schema).join(&volume));
                let size = megabytes(size);
                lines.push(format!("volume {catalog}.{schema}.{volume}  {size}"));
            }
        }
    }
    let place = state.strip_prefix(&context.root).unwrap_or(state);
    let size = megabytes(size(state));
    lines.push(format!(
        "{place}, {size} in total: jobs, runs, experiments, models, volumes, files"
    ));
    lines.iter().map(|line| safe_line(line)).collect()
}

/// The models that only a running workspace can tell, a line each.
fn models_of(workspace: &LocalWorkspace) -> Vec<String> {
    let models = models::names(&workspace.http, LOOK).unwrap_or_default();
    let models = models.iter().map(|model| {
        let versions = match models::versions(&workspace.http, model) {
            Ok(versions) => format!(", {}", crate::words::count(versions.len(), "version")),
            Err(_) => String::new(),
        };
        format!("model {}{versions}", safe_line(model))
    });
    models.collect()
}

/// The job runs that a running workspace has, where there are any.
fn active_runs(workspace: &LocalWorkspace) -> Option<String> {
    match local::status(&workspace.http).ok()?.active_runs {
        0 => None,
        1 => Some("1 job run that is active".to_owned()),
        runs => Some(format!("{runs} job runs that are active")),
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
