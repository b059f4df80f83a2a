//! The command line: which commands there are, and the options that all of them take.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::context::Context;
use crate::env::Env;
use crate::ui::{Manner, Ui};

/// Takes ML code from this folder through a pull request to production.
///
/// A fresh clone needs no account: every bundle target lives on a local workspace until it is
/// pointed at Databricks.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Ask nothing; take the answer that goes on.
    #[arg(long, short, global = true)]
    yes: bool,

    /// Print each git, CLI and REST call.
    #[arg(long, global = true)]
    explain: bool,

    /// Show no progress.
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Get this machine ready; `--check` says what is missing
    Setup(commands::setup::Args),
}

impl Cli {
    /// What the command line says about talking.
    pub(crate) fn manner(&self) -> Manner {
        Manner {
            assume_yes: self.yes,
            explain: self.explain,
            quiet: self.quiet,
        }
    }
}

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever that command ends with.
pub(crate) fn run(cli: Cli, env: Env, ui: Ui) -> anyhow::Result<()> {
    let context = Context::find(env, ui)?;
    match cli.command {
        Command::Setup(args) => commands::setup::run(&context, &args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
