//! What changes in the workspace: as the Databricks CLI plans it for the target that the base branch
//! feeds, where that target answers; else by the bundle's files.

use super::Subject;
use crate::bundle::Bundle;
use crate::context::Context;
use crate::databricks::{ANSWER, Target};
use crate::git::Git;
use crate::local_workspace;
use crate::pull_request::block::code;
use crate::pull_request::resources;
use crate::tools;

pub(super) fn section(
    context: &Context,
    git: &Git,
    subject: &Subject<'_>,
) -> anyhow::Result<String> {
    let differences = resources::differences(git, subject.base, subject.head)?;
    if differences.is_empty() {
        return Ok(String::new());
    }
    if let Some((target, plan)) = planned(context, subject) {
        let lines = plan.iter().map(|line| format!("- {}", code(line.trim())));
        let lines: Vec<String> = lines.collect();
        return Ok(format!(
            "Deployed to target {}, this does:\n\n{}",
            code(&target),
            lines.join("\n")
        ));
    }
    Ok(differences.join("\n"))
}

/// The CLI's plan, where nothing has to be fetched, started or run for it, the workspace answers soon, and the
/// files on disk are those that are proposed.
fn planned(context: &Context, subject: &Subject<'_>) -> Option<(String, Vec<String>)> {
    let (name, _) = context.config.target_of(subject.base_branch)?;
    if !subject.clean {
        return None;
    }
    let program = tools::databricks_cli(context)?;
    let bundle = Bundle::read(context).ok()?;
    let targets = bundle.targets(&context.config);
    let target = targets.iter().find(|target| target.name == name)?;
    let local = match target.workspace.local() {
        Some(profile) => Some(local_workspace::find(context, profile).ok()??),
        None => None,
    };
    if !bundle.plans_by_itself() {
        return None;
    }
    let progress = context
        .ui
        .progress("Planning", &format!("what changes on target {name}"));
    let opened = Target::seen(context, &bundle, target, local, program);
    if opened.local.is_none() {
        opened.signed_in(ANSWER).ok()?;
    }
    let plan = opened.plan(ANSWER).ok()?;
    progress.clear();
    Some((name.to_owned(), plan))
}
