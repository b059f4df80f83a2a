//! `cargo xtask setup`: gets this machine ready.

use crate::context::Context;
use crate::tools::{self, Need};

/// Options of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Change nothing; say what is missing and what to type.
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let _ = args.check;
    tools::ready(context, &[Need::Python, Need::DatabricksCli])?;
    Ok(())
}
