//! Predicts a few rows with a version, by the code that is deployed to a target.

use super::{Smoke, pull};
use crate::bundle;
use crate::context::Context;
use crate::databricks::Target;
use crate::smoke;
use crate::tools::Need;

/// Runs the command.
pub(super) fn run(context: &Context, args: &Smoke) -> anyhow::Result<()> {
    let own = pull::target_name(context, &args.version);
    let code = args.code.as_deref().unwrap_or(own);
    let toolbox = bundle::ready(context, &[own, code], Need::FOR_A_MODEL)?;
    let target = Target::open(context, &toolbox, own)?;
    let (_, files) = pull::obtain(context, &toolbox, &target, &args.version)?;
    let code = match code == own {
        false => Target::open(context, &toolbox, code)?,
        true => target,
    };
    let summary = code.deployed()?;
    let what = format!("a few rows with the code of {}", code.name);
    let progress = context.ui.progress("Predicting", &what);
    let smoke = smoke::predict(context, &toolbox, &code, &summary, &files)?;
    progress.finish("Predicted", &what);
    context.ui.answer(&smoke.sentence());
    context.ui.json(&smoke)
}
