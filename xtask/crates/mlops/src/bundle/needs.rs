//! The tools that a command needs for targets: one on Databricks needs only the Databricks CLI.

use super::{Bundle, find};
use crate::context::Context;
use crate::tools::{self, Need, Toolbox};

/// The tools for these targets and those in `besides`.
pub(crate) fn ready(
    context: &Context,
    targets: &[&str],
    besides: &[Need],
) -> anyhow::Result<Toolbox> {
    let with = |more: &[Need]| [more, besides].concat();
    // Without the CLI the target's workspace is unknown. On a laptop's first call it is most likely local,
    // so everything is installed in parallel; a CI job that deploys to Databricks does not need it.
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
