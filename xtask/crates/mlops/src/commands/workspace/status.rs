//! `cargo xtask workspace status`: whether they run, where, and what is due on them.

use serde_json::{Value, json};
use xtask_remote::local::{self, Scheduled, Schedules};

use super::which::Which;
use crate::context::Context;
use crate::local_workspace::{self, LocalWorkspace};
use crate::ui::Tone;

pub(super) fn run(context: &Context, which: &Which<'_>) -> anyhow::Result<()> {
    let profiles = which.all();
    if !context.ui.wants_json() {
        let show = |profile: &&str| show(context, profile);
        return profiles.iter().try_for_each(show);
    }
    let facts = profiles.iter().map(|profile| facts(context, profile));
    let mut facts = facts.collect::<anyhow::Result<Vec<Value>>>()?;
    let answer = match which.means_several() {
        true => json!({"workspaces": facts}),
        false => facts.pop().unwrap_or_default(),
    };
    context.ui.json(&answer)
}

fn facts(context: &Context, profile: &str) -> anyhow::Result<Value> {
    let Some(workspace) = local_workspace::find(context, profile)? else {
        return Ok(json!({"profile": profile, "running": false}));
    };
    let state = local::status(&workspace.http)?;
    Ok(json!({
        "profile": profile, "running": true, "url": state.url, "version": state.version,
        "user": state.user, "workspace_id": state.workspace_id,
        "uptime_seconds": state.uptime_seconds, "idle_seconds": state.idle_seconds,
        "keep": state.keep, "active_runs": state.active_runs, "mlflow": state.mlflow.state,
        "schedules": local::schedules(&workspace.http)?,
    }))
}

fn show(context: &Context, profile: &str) -> anyhow::Result<()> {
    match local_workspace::find(context, profile)? {
        Some(workspace) => show_running(context, &workspace),
        None => {
            let called = local_workspace::called(context, profile);
            let up = local_workspace::command(context, "up", profile);
            context
                .ui
                .answer(&format!("{called} does not run; start it: {up}"));
            Ok(())
        }
    }
}

fn show_running(context: &Context, workspace: &LocalWorkspace) -> anyhow::Result<()> {
    let profile = &workspace.profile;
    let state = local::status(&workspace.http)?;
    let schedules = local::schedules(&workspace.http)?;
    let row = |name: &str, value: &str| {
        let name = context.ui.paint(&format!("{name:<12}"), Tone::Strong);
        context.ui.answer(&format!("{name}  {value}"));
    };
    if context.config.workspace.several() {
        row("profile", profile);
    }
    row("address", &state.url);
    row("user", &state.user);
    row("active runs", &state.active_runs.to_string());
    let mlflow = match state.mlflow.message {
        Some(message) => format!("{}: {message}", state.mlflow.state),
        None => state.mlflow.state,
    };
    row("MLflow", &mlflow);
    let down = local_workspace::command(context, "down", profile);
    let end = match state.keep {
        true => format!("stays until `{down}`"),
        false => format!(
            "after {} idle minutes",
            context.config.workspace.idle_minutes
        ),
    };
    row("ends", &end);
    let folder = local_workspace::state_folder(context, profile);
    row("state", folder.as_str());
    let up = local_workspace::command(context, "up --schedules", profile);
    row("schedules", &firing(&schedules, &down, &up));
    for job in &schedules.jobs {
        row("", &format!("{}  {}", job.name, due(job)));
    }
    Ok(())
}

/// Whether schedules start runs, in a sentence.
fn firing(schedules: &Schedules, down: &str, up: &str) -> String {
    match (schedules.firing, schedules.jobs.len()) {
        (_, 0) => "no job has one".to_owned(),
        (true, _) => "start runs".to_owned(),
        (false, _) => format!("start nothing; to let them: {down}, then {up}"),
    }
}

/// When a job is due, in a sentence.
fn due(job: &Scheduled) -> String {
    let next = match (&job.next, job.paused, job.by_clock) {
        (_, true, _) => "paused".to_owned(),
        (_, _, false) => "fires on Databricks only".to_owned(),
        (Some(next), _, _) => format!("next {next}"),
        (None, _, _) => "never again".to_owned(),
    };
    format!("{}: {next}", job.trigger)
}
