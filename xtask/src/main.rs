//! The project's guided commands: from a laptop through a pull request to production.
//!
//! `main` parses the command line, builds the context, hands over to one command and reports how it
//! ended. Each command is one file below `commands/`; what it wraps (git, the Databricks CLI, Python,
//! tools) has one file each here; REST lives in the crate `xtask-remote`.

mod bundle;
mod chain;
mod check_log;
mod children;
mod cli;
mod commands;
mod config;
mod context;
mod crash;
mod databricks;
mod deployment;
mod engine_failure;
mod env;
mod error;
mod failures;
mod fingerprint;
mod follow;
mod git;
mod github;
mod interrupt;
mod links;
mod local_workspace;
mod model_files;
mod next_step;
mod notebook_events;
mod process;
mod pull_request;
mod python;
mod results;
mod secrets;
mod smoke;
mod terminal_text;
mod tools;
mod ui;
mod vars;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let env = match env::Env::read() {
        Ok(env) => env,
        Err(error) => return lost(&error),
    };
    let ui = ui::Ui::new(&env, cli.manner());
    match cli::run(cli, env, ui.clone()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let report = error::report(&error);
            ui.report(&report);
            ExitCode::from(report.exit_code)
        }
    }
}

/// Says that not even the current folder could be read; there is no `Ui` yet.
#[expect(clippy::print_stderr, reason = "there is no user interface yet")]
fn lost(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: the current folder cannot be used: {error}");
    ExitCode::FAILURE
}
