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

    /// Understand the command line, and stop: for command lines in the docs that need an account.
    #[arg(long, global = true, hide = true)]
    parse_only: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Get this machine ready; `--check` says what is missing
    Setup(commands::setup::Args),
    /// Run the unit tests, then the training job on a workspace
    Test(commands::test::Args),
    /// Propose the branch: push it, open or update its pull request, follow its checks
    OpenPr(commands::open_pr::Args),
    /// Merge a pull request that is green and approved
    Merge(commands::merge::Args),
    /// Take a model version, or the code, to the next environment; and back
    Promote(commands::promote::Args),
    /// Put the bundle on a target's workspace
    Deploy(commands::deploy::Args),
    /// Run a deployed job and follow it
    Run(commands::run::Args),
    /// Show the branch, its pull request and checks, and what runs in each environment
    Status(commands::status::Args),
    /// Show what a job run's notebooks printed, or a check's log; alone, the newest failure
    Logs(commands::logs::Args),
    /// Run the failed checks of this branch once more
    Rerun(commands::rerun::Args),
    /// Remove from a workspace what the bundle deployed there
    Destroy(commands::destroy::Args),
    /// Make the project's data sets, or put them into a target's volume
    Data(commands::data::Args),
    /// Fetch a registered model's files
    Model(commands::model::Args),
    /// The local workspace: start, stop, look, reset
    Workspace(commands::workspace::Args),
    /// Run everything that CI checks
    Ci(commands::ci::Args),
    /// Measure what the project promises to be quick
    Bench(commands::bench::Args),
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
    if cli.parse_only {
        return Ok(());
    }
    let context = Context::find(env, ui)?;
    match cli.command {
        Command::Setup(args) => commands::setup::run(&context, &args),
        Command::Test(args) => commands::test::run(&context, &args),
        Command::OpenPr(args) => commands::open_pr::run(&context, &args),
        Command::Merge(args) => commands::merge::run(&context, &args),
        Command::Promote(args) => commands::promote::run(&context, &args),
        Command::Deploy(args) => commands::deploy::run(&context, &args),
        Command::Run(args) => commands::run::run(&context, &args),
        Command::Status(args) => commands::status::run(&context, &args),
        Command::Logs(args) => commands::logs::run(&context, &args),
        Command::Rerun(args) => commands::rerun::run(&context, &args),
        Command::Destroy(args) => commands::destroy::run(&context, &args),
        Command::Data(args) => commands::data::run(&context, &args),
        Command::Model(args) => commands::model::run(&context, &args),
        Command::Workspace(args) => commands::workspace::run(&context, &args),
        Command::Ci(args) => commands::ci::run(&context, &args),
        Command::Bench(args) => commands::bench::run(&context, &args),
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
