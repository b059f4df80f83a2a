//! What a command needs for targets of the bundle: one that lives on Databricks takes the Databricks CLI and no more.

use super::{Bundle, find};
use crate::context::Context;
use crate::tools::{self, Need, Toolbox};

/// The tools for work on these targets, and for what the command needs `besides`.
///
/// # Errors
/// Those of [`tools::ready`] and [`Bundle::read`]; when the bundle has no such target.
pub(crate) fn ready(
    context: &Context,
    targets: &[&str],
    besides: &[Need],
) -> anyhow::Result<Toolbox> {
    let with = |more: &[Need]| [more, besides].concat();
    // Without the CLI nobody can tell where a target lives. At a first call on a laptop that is most likely the local
    // workspace, and all of it is fetched side by side; a CI job that deploys to Databricks is spared it.
    if tools::databricks_cli(context).is_none() {
        if !context.env.ci {
            return tools::ready(context, &with(Need::FOR_A_WORKSPACE));
        }
        tools::ready(context, &[Need::DatabricksCli])?;
    }
    let known = Bundle::read(context)?.targets(&context.config);
    let mut needs: &[Need] = &[Need::DatabricksCli];
    for name in targets {
        if find(&known, name)?.local().is_some() {
            needs = Need::FOR_A_WORKSPACE;
        }
    }
    tools::ready(context, &with(needs))
}
