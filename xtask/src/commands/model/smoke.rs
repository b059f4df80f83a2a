//! Predicts a few rows with a version, by the code that is deployed to a target.

use super::{Smoke, pull};
use crate::context::Context;
use crate::databricks::Target;
use crate::smoke;
use crate::tools::{self, Need};

/// Runs the command.
///
/// # Errors
/// When there is no such version, its files are not what was validated, or it does not predict.
pub(super) fn run(context: &Context, args: &Smoke) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let own = pull::target_name(context, &args.version);
    let target = Target::open(context, &toolbox, own)?;
    let files = pull::obtain(context, &toolbox, &target, &args.version)?;
    let code = match args.code.as_deref().filter(|code| *code != own) {
        Some(code) => Target::open(context, &toolbox, code)?,
        None => target,
    };
    let summary = code.summary()?;
    let what = format!("a few rows with the code of {}", code.name);
    let progress = context.ui.progress("Predicting", &what);
    let smoke = smoke::predict(context, &toolbox, &code, &summary, &files)?;
    progress.finish("Predicted", &what);
    match args.json {
        true => context.ui.json(&smoke)?,
        false => context.ui.answer(&smoke.sentence()),
    }
    Ok(())
}
