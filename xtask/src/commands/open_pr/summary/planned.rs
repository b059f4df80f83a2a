//! What changes in the workspace: as the Databricks CLI plans it for the target that the base branch
//! feeds, where that target answers; else by the bundle's files.

use super::Subject;
use crate::bundle::{self, Place};
use crate::context::Context;
use crate::databricks::Target;
use crate::git::Git;
use crate::local_workspace;
use crate::pull_request::block::code;
use crate::pull_request::resources;
use crate::tools::{self, Need};

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

/// The CLI's plan, where nothing has to be fetched or started for it, and the files on disk are those
/// that are proposed.
fn planned(context: &Context, subject: &Subject<'_>) -> Option<(String, Vec<String>)> {
    let (name, _) = context.config.target_of(subject.base_branch)?;
    if !subject.clean {
        return None;
    }
    let place = bundle::place(&context.root, &context.config, name).ok()?;
    let answers = match place {
        Place::Local(profile) => local_workspace::find(context, &profile).ok()?.is_some(),
        Place::Databricks { .. } => true,
    };
    let toolbox = answers.then(|| tools::at_hand(context, Need::FOR_A_WORKSPACE))??;
    let progress = context
        .ui
        .progress("Planning", &format!("what changes on target {name}"));
    let target = Target::open(context, &toolbox, name).ok()?;
    let plan = target.plan().ok()?;
    progress.clear();
    Some((name.to_owned(), plan))
}
