//! What the deployment of a commit would change in the destination: the Databricks CLI's plan of the files
//! of that very commit, laid out beside the clone; where it cannot be had, the bundle's files compared.

use serde::Serialize;

use super::evidence;
use crate::bundle::Bundle;
use crate::context::Context;
use crate::databricks::Target;
use crate::git::Git;
use crate::pull_request::resources;
use crate::temporary::Temporary;
use crate::ui::safe_line;

/// What would change.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct BundlePlan {
    /// The CLI's plan, one line for each change; `None` where it could not be had.
    pub(super) changes: Option<Vec<String>>,
    /// Why there is none.
    pub(super) unknown: Option<String>,
    /// How the bundle's files differ, where there is no plan; Markdown, one line for each resource.
    #[serde(skip)]
    pub(super) compared: Vec<String>,
}

/// Plans the deployment of a commit to a target. `before` are the files that the release branch
/// has.
pub(super) fn of(
    context: &Context,
    git: &Git,
    target: &str,
    before: &str,
    commit: &str,
) -> anyhow::Result<BundlePlan> {
    let planned = plan(context, git, target, commit);
    context.interrupt.check()?;
    Ok(match planned {
        Ok(changes) => BundlePlan {
            changes: Some(changes),
            ..BundlePlan::default()
        },
        Err(error) => BundlePlan {
            unknown: Some(safe_line(&error.to_string())),
            compared: resources::differences(git, before, commit)?,
            ..BundlePlan::default()
        },
    })
}

fn plan(context: &Context, git: &Git, target: &str, commit: &str) -> anyhow::Result<Vec<String>> {
    let toolbox = evidence::at_hand(context, target)?;
    let files = Temporary::path(&context.local().join("cache/release"));
    git.lay_out(commit, &files)?;
    let project = files.join(git.prefix()?);
    let bundle = Bundle::in_folder(context, &toolbox.databricks, &project)?;
    if !bundle.plans_by_itself() {
        anyhow::bail!("the bundle runs code or builds files for a plan, which a look does not do");
    }
    let target = Target::open(context, &toolbox, target)?.with_files_in(project);
    let plan = target.reviewable_plan()?;
    Ok(plan
        .actions
        .iter()
        .map(|(resource, action)| format!("{action} {resource}"))
        .collect())
}
