//! The command line: which commands there are, and the options that all of them take.

mod completions;
mod examples;
mod help;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{
    Arg, ArgAction, ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
};

use crate::commands;
use crate::context::{Context, Surroundings};
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

type Run = Box<dyn FnOnce(&Context, &ArgMatches) -> anyhow::Result<()>>;

/// Parse the command line and exit: for command lines in the docs that need an account.
const PARSE_ONLY: &str = "parse-only";

/// A command of the project's own.
struct Own {
    command: clap::Command,
    run: Run,
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
        let taken = name == "help" || BuiltIn::command().find_subcommand(name).is_some();
        assert!(!taken, "`cargo xtask {name}` exists: choose another name");
        let own = Own {
            command: A::augment_args(clap::Command::new(name)).about(about),
            run: Box::new(move |context, matches| run(context, &A::from_arg_matches(matches)?)),
        };
        self.own.insert(name, own);
        self
    }

    /// Every command, for what is generated from them: completions, man pages.
    pub fn definition(&self) -> clap::Command {
        let own = self.own.values().map(|own| own.command.clone());
        help::with_examples(BuiltIn::command().subcommands(own).name("cargo-xtask"), "")
    }

    /// The same as `cargo xtask` parses it, with groups in its `--help`.
    fn parser(&self) -> clap::Command {
        let own: Vec<_> = self.own.keys().copied().collect();
        // Not in the definition: completions offer what is hidden, too.
        let parse_only = Arg::new(PARSE_ONLY)
            .long(PARSE_ONLY)
            .global(true)
            .hide(true)
            .action(ArgAction::SetTrue);
        let definition = self.definition().name("cargo xtask").arg(parse_only);
        help::grouped(definition, &own)
    }

    /// Parses the command line, runs the command, and reports how it ended.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        let matches = self.parser().get_matches();
        let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let env = match Env::read() {
            Ok(env) => env,
            Err(error) => return no_folder(&error),
        };
        let ui = Ui::new(&env, options.manner());
        let ended = match matches.get_flag(PARSE_ONLY) {
            true => Ok(()),
            false => Surroundings::new(env, ui.clone()).and_then(|around| {
                let named = matches.subcommand();
                let own = named.and_then(|(name, rest)| Some((self.own.remove(name)?, rest)));
                match own {
                    Some((own, rest)) => (own.run)(&Context::find(around)?, rest),
                    None => run(around, BuiltIn::from_arg_matches(&matches)?.command, &self),
                }
            }),
        };
        let report = ended.err().map(|error| error::report(&error));
        if let Some(report) = &report {
            ui.report(report);
        }
        if !matches.get_flag(PARSE_ONLY) {
            ui.finish(report.as_ref());
        }
        ExitCode::from(report.map_or(0, |report| report.kind.exit_code()))
    }
}

/// Says that not even the current folder could be read; there is no `Ui` yet.
#[expect(clippy::print_stderr, reason = "there is no user interface yet")]
fn no_folder(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: the current folder cannot be used: {error}");
    ExitCode::FAILURE
}

/// Take ML code from a laptop through a pull request to production
///
/// A new clone needs no account: every bundle target uses a local workspace until you point it at
/// Databricks.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100,
    disable_help_flag = true
)]
struct BuiltIn {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    options: Options,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Options {
    /// Skip prompts; answer yes.
    #[arg(long, short, global = true)]
    yes: bool,

    /// Print the answer as one JSON object.
    #[arg(long, global = true)]
    json: bool,

    /// Print each git, CLI and REST call.
    #[arg(long, global = true)]
    explain: bool,

    /// Hide progress.
    #[arg(long, short, global = true)]
    quiet: bool,

    /// Print help; `--help` adds details and examples.
    #[arg(long, short, global = true, action = ArgAction::Help)]
    help: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a project of your own
    ///
    /// Asks for names, targets and the kind of the model, shows the plan, writes the project with this tool
    /// as a dependency, and makes the first commit. `--yes` takes the default of each question.
    Init(commands::init::Args),
    #[command(flatten)]
    InProject(InProject),
    /// Print a script that completes `cargo xtask` in a shell
    ///
    /// Save it to a file, and load that file in the shell's startup file. Generate it again after an update.
    Completions(completions::Args),
}

/// The commands that need a project.
#[derive(Debug, Subcommand)]
enum InProject {
    /// Install the tools and Python packages that the project needs
    ///
    /// Finds git, Python, uv and the Databricks CLI, and installs what is missing into the folder of
    /// the clone. Asks before it downloads a tool.
    Setup(commands::setup::Args),
    /// Run the unit tests and the training job
    ///
    /// Runs the unit tests, then deploys the bundle to a target and runs its training job there. Skips
    /// tests that passed on the same files before, unless `--force` is given.
    Test(commands::test::Args),
    /// Push the branch and open or update its pull request
    ///
    /// Checks the commits for secrets and large files, shows the plan, asks, pushes the branch, opens or
    /// updates the pull request, and watches its checks. Run it again after each commit.
    OpenPr(commands::open_pr::Args),
    /// Merge a pull request
    ///
    /// Requires that the checks have passed and that the pull request is approved.
    Merge(commands::merge::Args),
    /// Promote a model version or code to the next target
    ///
    /// Shows the evidence and the plan, asks, applies the plan, and reads back the result. `--undo` reverts.
    Promote(commands::promote::Args),
    /// Deploy the bundle to a target
    ///
    /// Shows the plan, asks, applies the plan, and reads back the result.
    Deploy(commands::deploy::Args),
    /// Run a deployed job and wait for it
    Run(commands::run::Args),
    /// Show the branch, its pull request and the environments
    Status(commands::status::Args),
    /// Show the log of a job run or a check
    Logs(commands::logs::Args),
    /// Re-run the failed checks of the branch
    Rerun(commands::rerun::Args),
    /// Delete what the bundle deployed to a target
    Destroy(commands::destroy::Args),
    /// Generate or upload the project's data sets
    Data(commands::data::Args),
    /// Download or test a model version
    Model(commands::model::Args),
    /// Manage the local workspace
    Workspace(commands::workspace::Args),
    /// Run the checks of CI
    Ci(commands::ci::Args),
    /// Run the benchmarks
    Bench(commands::bench::Args),
}

impl Options {
    fn manner(&self) -> Manner {
        Manner {
            assume_yes: self.yes,
            explain: self.explain,
            quiet: self.quiet,
            json: self.json,
        }
    }
}

fn run(around: Surroundings, command: Command, cli: &Cli) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => commands::init::run(&around, &args),
        Command::InProject(command) => run_in_project(&Context::find(around)?, command),
        Command::Completions(args) => {
            let script = completions::script(cli.definition(), args.shell)?;
            around.ui.answer(&script);
            Ok(())
        }
    }
}

fn run_in_project(context: &Context, command: InProject) -> anyhow::Result<()> {
    match command {
        InProject::Setup(args) => commands::setup::run(context, &args),
        InProject::Test(args) => commands::test::run(context, &args),
        InProject::OpenPr(args) => commands::open_pr::run(context, &args),
        InProject::Merge(args) => commands::merge::run(context, &args),
        InProject::Promote(args) => commands::promote::run(context, &args),
        InProject::Deploy(args) => commands::deploy::run(context, &args),
        InProject::Run(args) => commands::run::run(context, &args),
        InProject::Status(args) => commands::status::run(context, &args),
        InProject::Logs(args) => commands::logs::run(context, &args),
        InProject::Rerun(args) => commands::rerun::run(context, &args),
        InProject::Destroy(args) => commands::destroy::run(context, &args),
        InProject::Data(args) => commands::data::run(context, &args),
        InProject::Model(args) => commands::model::run(context, &args),
        InProject::Workspace(args) => commands::workspace::run(context, &args),
        InProject::Ci(args) => commands::ci::run(context, &args),
        InProject::Bench(args) => commands::bench::run(context, &args),
    }
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
