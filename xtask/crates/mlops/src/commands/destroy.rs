//! `cargo xtask destroy`: removes from a workspace what the bundle deployed there.

use serde::Serialize;

use crate::bundle;
use crate::context::Context;
use crate::databricks::guard::{self, Removal};
use crate::databricks::{Purpose, Target};

/// Options of `destroy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Bundle target to destroy.
    #[arg(long, short)]
    target: String,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
    /// Allow the deletion of this resource and its data; repeatable.
    #[arg(long, value_name = "KIND.KEY")]
    delete: Vec<String>,
    /// Confirm by repeating the target's name.
    ///
    /// Required without a terminal if a branch deploys to the target.
    #[arg(long, value_name = "TARGET")]
    confirm: Option<String>,
}

/// What `--json` prints; docs/deploy.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `destroyed`, `planned` or `nothing`.
    outcome: &'static str,
    target: &'a str,
    host: String,
    #[serde(flatten)]
    removal: &'a Removal,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let pass = guard::check(context, &args.target, Purpose::Destroy)?;
    let toolbox = bundle::ready(context, &[&args.target], &[])?;
    let target = Target::open_to_deploy(context, &toolbox, &args.target)?;
    let ui = &context.ui;
    let removal = target.removal()?;
    let answer = |outcome| {
        ui.json(&Answer {
            version: 1,
            outcome,
            target: &target.name,
            host: target.host(),
            removal: &removal,
        })
    };
    if removal.is_empty() {
        let what = format!("of the bundle is deployed to {}", target.name);
        ui.status("Nothing", &what);
        return answer("nothing");
    }
    removal.show(&target);
    if args.dry_run {
        ui.only_planned();
        return answer("planned");
    }
    let writer = pass.on(&target)?;
    let agreed = writer.agree_to_removal(&removal, &args.delete, args.confirm.as_deref())?;
    let progress = ui.progress("Destroying", &format!("target {}", target.name));
    writer.destroy(&agreed, &mut |line| progress.message(line))?;
    progress.finish("Destroyed", &format!("target {}", target.name));
    answer("destroyed")
}
