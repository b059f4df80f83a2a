//! A deployment as commands run it: show the plan, apply it with progress, fix the model's links.

mod linking;
mod review;

use xtask_remote::databricks::bundle_state::Source;

use crate::context::Context;
use crate::databricks::guard::{Agreed, changes};
use crate::databricks::{Outcome, Summary, Writer};
use crate::error::Failure;
pub(crate) use linking::{keep, planned, show as show_links};
pub(crate) use review::{show, summary};

/// How often a test's deployment is planned again because another one came first.
const ATTEMPTS: usize = 5;

/// Applies a plan, with progress.
pub(crate) fn apply(
    context: &Context,
    writer: &Writer<'_, '_>,
    agreed: &Agreed<'_>,
    force_lock: bool,
) -> anyhow::Result<Outcome> {
    let name = &writer.target().name;
    let progress = context.ui.progress("Deploying", &format!("target {name}"));
    let outcome = writer.deploy(agreed, force_lock, &mut |line| {
        progress.message(format!("target {name}  {line}"));
    })?;
    match outcome {
        Outcome::Deployed => progress.finish("Deployed", &format!("target {name}")),
        Outcome::Moved(_) => progress.clear(),
    }
    Ok(outcome)
}

/// Deploys the checkout without a prompt; never deletes data. If another deployment comes first, it plans
/// again.
pub(crate) fn of_the_checkout(context: &Context, writer: &Writer<'_, '_>) -> anyhow::Result<()> {
    let target = writer.target();
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let plan = target.reviewable_plan()?;
        let found = changes(&plan);
        let agreed = writer.agree_without_loss(&plan)?;
        if !found.is_empty() {
            let words = format!("target {}: {}", target.name, summary(&found));
            context.ui.status("Plan", &words);
        }
        match apply(context, writer, &agreed, false)? {
            Outcome::Deployed => return Ok(()),
            Outcome::Moved(said) => last = said,
        }
    }
    Failure::failed(format!(
        "other deployments to {} keep coming first; nothing was changed",
        target.name
    ))
    .details(last)
    .err()
}

/// Fixes the links of a deployed target's model. Links that cannot be written are a warning, not an error.
pub(crate) fn link(context: &Context, writer: &Writer<'_, '_>, summary: &Summary, source: &Source) {
    linking::warn(context, &linking::keep(context, writer, summary, source));
}
