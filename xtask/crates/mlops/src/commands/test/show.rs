//! What `test` says: what it will do and why, and what came of it.

use std::io::Write as _;

use xtask_remote::local;

use super::{Plan, inputs::Work};
use crate::context::Context;
use crate::local_workspace;
use crate::results::{Integration, Results, Verdict};
use crate::ui::Tone;
use crate::vars;

/// Says for each part whether it runs, and why.
pub(super) fn plan(context: &Context, plan: &Plan) {
    let say = |name: &str, cached: bool, reason: &str| match cached {
        true => context.ui.status(
            "Unchanged",
            &format!("{name} passed {reason}; --force runs it again"),
        ),
        false => context.ui.status("Due", &format!("{name} ({reason})")),
    };
    if let Some(Work { cached, reason, .. }) = &plan.unit {
        say("unit tests", cached.is_some(), reason);
    }
    if let Some(Work { cached, reason, .. }) = &plan.integration {
        say(
            &format!("training job on target {}", plan.target),
            cached.is_some(),
            reason,
        );
    }
}

/// Prints the chain from the job run to the model version; in CI also the line for other commands.
pub(super) fn results(context: &Context, results: &Results) -> anyhow::Result<()> {
    if let Some(integration) = &results.integration {
        for line in table(context, integration) {
            match context.ui.wants_json() {
                true => context.ui.line(&line),
                false => context.ui.answer(&line),
            }
        }
    }
    if context.env.ci {
        context.ui.line(&results.marker_line()?);
        job_summary(context, results)?;
    }
    workspace_stays(context)?;
    if results.verdict == Verdict::Passed {
        context.ui.status("Passed", "everything that was asked for");
    }
    Ok(())
}

/// Says which local workspaces still run, and how to end them.
fn workspace_stays(context: &Context) -> anyhow::Result<()> {
    for profile in context.config.workspace.profiles() {
        let Some(workspace) = local_workspace::find(context, profile)? else {
            continue;
        };
        let stays = match local::status(&workspace.http)?.keep {
            true => "stays".to_owned(),
            false => format!(
                "stays for {} idle minutes",
                context.config.workspace.idle_minutes
            ),
        };
        let called = local_workspace::called(context, profile);
        let down = local_workspace::command(context, "down", profile);
        let text = format!("{called} {stays}; `{down}` ends it now");
        context.ui.status("Running", &text);
    }
    Ok(())
}

fn table(context: &Context, integration: &Integration) -> Vec<String> {
    let ui = &context.ui;
    let row = |name: &str, value: &str| {
        format!(
            "{}  {value}",
            ui.paint(&format!("{name:>12}"), Tone::Strong)
        )
    };
    let mut lines = vec![row(
        "job run",
        &ui.link(&integration.job_run.url, &integration.job_run.url),
    )];
    if let Some(run) = &integration.mlflow_run {
        lines.push(row("MLflow run", &ui.link(&run.url, &run.url)));
    }
    let Some(model) = &integration.model else {
        return lines;
    };
    let version = format!("{} version {}", model.name, model.version);
    lines.push(row("model", &version));
    lines.push(row("", &ui.link(&model.url, &model.url)));
    let champion = integration.champion_before.as_ref();
    lines.push(match champion {
        Some(champion) => row(
            "metrics",
            &format!(
                "version {}  beside the champion so far, version {}",
                model.version, champion.version
            ),
        ),
        None => row(
            "metrics",
            "the first version: there was no champion to compare with",
        ),
    });
    let chosen = &context.config.model.metrics;
    let shown = |name: &String| chosen.is_empty() || chosen.contains(name);
    for (name, value) in model.metrics.iter().filter(|(name, _)| shown(name)) {
        let before = champion.and_then(|champion| champion.metrics.get(name));
        let beside = before
            .map(|before| format!("  {before:>12}"))
            .unwrap_or_default();
        lines.push(format!("{:14}{name:<28} {value:>12}{beside}", ""));
    }
    lines
}

/// Adds the result to the page that GitHub Actions shows for the job.
fn job_summary(context: &Context, results: &Results) -> anyhow::Result<()> {
    let Some(path) = context.env.get(vars::GITHUB_STEP_SUMMARY) else {
        return Ok(());
    };
    let mut file = fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    writeln!(file, "### cargo xtask test: {:?}\n", results.verdict)?;
    if let Some(unit) = &results.unit {
        writeln!(
            file,
            "- unit tests: {} passed, {} failed, {} skipped",
            unit.passed, unit.failed, unit.skipped
        )?;
    }
    if let Some(integration) = &results.integration {
        writeln!(
            file,
            "- job run: {} {}",
            integration.job_run.result, integration.job_run.url
        )?;
        for task in &integration.tasks {
            writeln!(
                file,
                "  - {}: {} ({:.1} s)",
                task.key, task.result, task.seconds
            )?;
        }
        if let Some(model) = &integration.model {
            writeln!(file, "- model: {} version {}", model.name, model.version)?;
        }
    }
    writeln!(file, "\n<!-- {} -->", results.marker_line()?)?;
    Ok(())
}
