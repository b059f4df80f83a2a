//! `cargo xtask model`: a registered model's files, and whether they predict.

mod pull;
mod smoke;

use camino::Utf8PathBuf;

use crate::context::Context;

/// Options of `model`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Download the files of a model version
    Pull(Pull),
    /// Predict a few rows with a model version
    ///
    /// This is the test that `promote` runs before a version becomes champion.
    Smoke(Smoke),
}

/// Options of `model pull`.
#[derive(Debug, clap::Args)]
pub(crate) struct Pull {
    /// Alias of the version.
    #[arg(default_value = "champion")]
    alias: String,
    /// Version number, instead of an alias.
    #[arg(long, conflicts_with = "alias", value_name = "NUMBER")]
    number: Option<u64>,
    /// Bundle target of the model [default: the target of `test`].
    #[arg(long, short)]
    target: Option<String>,
    /// Folder to write to [default: `.xtask/models/MODEL/VERSION`].
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<Utf8PathBuf>,
}

/// Options of `model smoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct Smoke {
    #[command(flatten)]
    version: Pull,
    /// Target whose deployed code predicts [default: the version's target].
    #[arg(long, value_name = "TARGET")]
    code: Option<String>,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Pull(pull) => pull::run(context, pull),
        Command::Smoke(args) => smoke::run(context, args),
    }
}
