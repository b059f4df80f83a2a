//! The command line: which commands there are, and the options that all of them take.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands;
use crate::context::Context;
use crate::env::Env;
use crate::error;
use crate::ui::{Manner, Ui};

/// The command line of a project: the commands of this crate, and the project's own.
///
/// ```no_run
/// #[derive(Debug, clap::Args)]
/// struct Hello {
///     /// Whom to greet.
///     name: String,
/// }
///
/// fn hello(context: &xtask_mlops::Context, args: &Hello) -> anyhow::Result<()> {
///     context.ui.answer(&format!("Hello {} from {}", args.name, context.root));
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     xtask_mlops::Cli::new()
///         .command("hello", "Say hello", hello)
///         .run()
/// }
/// ```
#[derive(Default)]
pub struct Cli {
    own: BTreeMap<&'static str, Own>,
}

/// A command of the project's own.
struct Own {
    command: clap::Command,
    run: Box<dyn FnOnce(&Context, &ArgMatches) -> anyhow::Result<()>>,
}

impl Cli {
    /// The commands of this crate.
    #[must_use]
    pub fn new() -> Cli {
        Cli::default()
    }

    /// Adds a command of the project's own; `about` is its line in `cargo xtask --help`.
    ///
    /// # Panics
    /// When there is a command of this name.
    #[must_use]
    pub fn command<A: Args + 'static>(
        mut self,
        name: &'static str,
        about: &'static str,
        run: fn(&Context, &A) -> anyhow::Result<()>,
    ) -> Cli {
        let taken = BuiltIn::command().find_subcommand(name).is_some();
        assert!(!taken, "`cargo xtask {name}` exists: choose another name");
        let own = Own {
            command: A::augment_args(clap::Command::new(name)).about(about),
            run: Box::new(move |context, matches| run(context, &A::from_arg_matches(matches)?)),
        };
        self.own.insert(name, own);
        self
    }

    /// Parses the command line, runs the command, and reports how it ended.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        let own = self.own.values().map(|own| own.command.clone());
        let matches = BuiltIn::command().subcommands(own).get_matches();
        let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let env = match Env::read() {
            Ok(env) => env,
            Err(error) => return no_folder(&error),
        };
        let ui = Ui::new(&env, options.manner());
        let ended = match options.parse_only {
            true => Ok(()),
            false => Context::find(env, ui.clone()).and_then(|context| {
                let named = matches.subcommand();
                let own = named.and_then(|(name, rest)| Some((self.own.remove(name)?, rest)));
                match own {
                    Some((own, rest)) => (own.run)(&context, rest),
                    None => run(&context, BuiltIn::from_arg_matches(&matches)?.command),
                }
            }),
        };
        let Err(error) = ended else {
            return ExitCode::SUCCESS;
        };
        let report = error::report(&error);
        ui.report(&report);
        ExitCode::from(report.exit_code)
    }
}

/// Says that not even the current folder could be read; there is no `Ui` yet.
#[expect(clippy::print_stderr, reason = "there is no user interface yet")]
fn no_folder(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: the current folder cannot be used: {error}");
    ExitCode::FAILURE
}

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
struct BuiltIn {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    options: Options,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Options {
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

impl Options {
    fn manner(&self) -> Manner {
        Manner {
            assume_yes: self.yes,
            explain: self.explain,
            quiet: self.quiet,
        }
    }
}

fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Setup(args) => commands::setup::run(context, &args),
        Command::Test(args) => commands::test::run(context, &args),
        Command::OpenPr(args) => commands::open_pr::run(context, &args),
        Command::Merge(args) => commands::merge::run(context, &args),
        Command::Promote(args) => commands::promote::run(context, &args),
        Command::Deploy(args) => commands::deploy::run(context, &args),
        Command::Run(args) => commands::run::run(context, &args),
        Command::Status(args) => commands::status::run(context, &args),
        Command::Logs(args) => commands::logs::run(context, &args),
        Command::Rerun(args) => commands::rerun::run(context, &args),
        Command::Destroy(args) => commands::destroy::run(context, &args),
        Command::Data(args) => commands::data::run(context, &args),
        Command::Model(args) => commands::model::run(context, &args),
        Command::Workspace(args) => commands::workspace::run(context, &args),
        Command::Ci(args) => commands::ci::run(context, &args),
        Command::Bench(args) => commands::bench::run(context, &args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::BuiltIn::command().debug_assert();
    }
}
