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
    /// Fetch the files of a model version into a folder; the model is not loaded
    Pull(Pull),
    /// Fetch a model version and predict a few rows with it, as `promote` does before it becomes champion
    Smoke(Smoke),
}

/// Options of `model pull`.
#[derive(Debug, clap::Args)]
pub(crate) struct Pull {
    /// The alias of the version.
    #[arg(default_value = "champion")]
    alias: String,
    /// The version itself, by its number.
    #[arg(long, conflicts_with = "alias", value_name = "NUMBER")]
    number: Option<u64>,
    /// The target of the bundle; the one that `test` deploys to when left out.
    #[arg(long, short)]
    target: Option<String>,
    /// The folder; `.xtask/models/MODEL/VERSION` when left out.
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<Utf8PathBuf>,
}

/// Options of `model smoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct Smoke {
    #[command(flatten)]
    version: Pull,
    /// The target whose deployed code predicts; the version's own when left out.
    #[arg(long, value_name = "TARGET")]
    code: Option<String>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When there is no such version, its files are not what was validated, or it does not predict.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Pull(pull) => pull::run(context, pull),
        Command::Smoke(args) => smoke::run(context, args),
    }
}
