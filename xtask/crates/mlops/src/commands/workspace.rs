//! `cargo xtask workspace`: the local workspaces of this clone. Where there are several, `--profile` says which.

pub(crate) mod conformance;
mod principal;
mod reset;
mod status;
mod which;

use std::collections::BTreeMap;

use serde_json::json;
use xtask_remote::local;

use crate::context::Context;
use crate::error::Failure;
use crate::local_workspace::{self, LocalWorkspace, Mode};
use crate::process;
use crate::tools::{self, Need};

/// Options of `workspace`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Local workspace to use, by its profile.
    ///
    /// Needed only if xtask.toml names several. By default `down` and `status` use all of them, and the
    /// other commands the first one; `reset` requires the option.
    #[arg(long, short, global = true, value_name = "NAME")]
    profile: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start the local workspace
    Up {
        /// Keep it running while idle.
        #[arg(long)]
        keep: bool,
        /// Start runs on the schedules of jobs; keeps it running until `workspace down`.
        #[arg(long)]
        schedules: bool,
    },
    /// Stop the local workspace; its state is kept
    Down,
    /// Show its address, the state of MLflow, and scheduled jobs
    Status,
    /// Print the environment variables that a client needs
    ///
    /// Load them with: eval "$(cargo xtask workspace env)"
    Env,
    /// Create a service principal and print its credentials
    Principal(principal::Args),
    /// Open the local workspace in the browser
    Open {
        /// Page to open, such as `/jobs/1/runs/2`.
        #[arg(default_value = "/")]
        path: String,
    },
    /// Show the end of the log
    Logs {
        /// Number of lines.
        #[arg(long, short = 'n', default_value_t = 100)]
        lines: usize,
        /// Show the log of MLflow instead.
        #[arg(long)]
        mlflow: bool,
    },
    /// Delete all state: jobs, runs, models, volumes and files
    Reset {
        /// Print the plan and exit.
        #[arg(long)]
        dry_run: bool,
    },
    /// Test a new local workspace with real clients
    ///
    /// Calls it with the Databricks CLI, databricks-sdk and MLflow, and compares the results with
    /// docs/conformance.md.
    Conformance {
        /// Write the results to docs/conformance.md.
        #[arg(long)]
        write: bool,
    },
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let which = which::Which::new(context, args.profile.as_deref())?;
    match &args.command {
        Command::Up { keep, schedules } => {
            let (keep, schedules) = (*keep, *schedules);
            up(context, which.one(), Mode { keep, schedules })
        }
        Command::Down => down(context, &which),
        Command::Status => status::run(context, &which),
        Command::Env => env(context, which.one()),
        Command::Principal(args) => principal::run(context, which.one(), args),
        Command::Open { path } => open(context, which.one(), path),
        Command::Logs { lines, mlflow } => logs(context, which.one(), *lines, *mlflow),
        Command::Reset { dry_run } => reset::run(context, which.named()?, *dry_run),
        Command::Conformance { write } => conformance::run(context, *write),
    }
}

fn started(context: &Context, profile: &str, mode: Mode) -> anyhow::Result<LocalWorkspace> {
    let toolbox = tools::ready(context, Need::LOCAL_WORKSPACE)?;
    local_workspace::start(context, &toolbox, profile, mode)
}

fn up(context: &Context, profile: &str, mode: Mode) -> anyhow::Result<()> {
    let workspace = started(context, profile, mode)?;
    let state = local::status(&workspace.http)?;
    if mode.schedules && !state.schedules {
        context
            .ui
            .warn("it already ran, and schedules still start nothing: take it down first");
    } else if mode.keep && !state.keep {
        context
            .ui
            .warn("it already ran and still ends when it is idle: stop it first");
    }
    let called = local_workspace::called(context, profile);
    context
        .ui
        .status("Running", &format!("{called} at {}", workspace.url));
    let next = local_workspace::command(context, "open", profile);
    context.ui.status("Next", &next);
    context.ui.json(&json!({
        "version": 1, "profile": profile, "url": workspace.url,
        "keep": state.keep, "schedules": state.schedules,
    }))
}

fn down(context: &Context, which: &which::Which<'_>) -> anyhow::Result<()> {
    let mut ended = Vec::new();
    for profile in which.all_and_left_over() {
        let called = local_workspace::called(context, &profile);
        match local_workspace::find(context, &profile)? {
            Some(workspace) => {
                local_workspace::stop(context, &workspace)?;
                context
                    .ui
                    .status("Ended", &format!("{called}; its state stays"));
                ended.push(profile);
            }
            None => context
                .ui
                .status("Nothing", &format!("to end: {called} does not run")),
        }
    }
    context.ui.json(&json!({"version": 1, "ended": ended}))
}

fn env(context: &Context, profile: &str) -> anyhow::Result<()> {
    let workspace = started(context, profile, Mode::default())?;
    let variables = local_workspace::variables(context, &workspace);
    let object: BTreeMap<_, _> = variables.iter().cloned().collect();
    context
        .ui
        .json(&json!({"version": 1, "variables": object}))?;
    for (name, value) in variables {
        context
            .ui
            .answer(&format!("export {name}='{}'", value.replace('\'', r"'\''")));
    }
    let bypass = "127.0.0.1,localhost,::1";
    for name in crate::vars::NO_PROXY {
        context
            .ui
            .answer(&format!("export {name}=\"${{{name}:+${name},}}{bypass}\""));
    }
    Ok(())
}

fn open(context: &Context, profile: &str, path: &str) -> anyhow::Result<()> {
    if !path.starts_with('/') {
        return Failure::usage(format!("\"{path}\" is no page: it starts with /")).err();
    }
    let workspace = started(context, profile, Mode::default())?;
    let link = local::sign_in(&workspace.http, path)?;
    // Where no browser can be started (ssh, CI) the link alone is what the reader needs.
    let at_a_terminal = context.ui.can_ask() && !context.ui.wants_json();
    if at_a_terminal && process::browse(&context.env, &link) {
        context
            .ui
            .status("Opened", &format!("{}{path}", workspace.url));
    } else {
        context.ui.answer(&link);
    }
    context.ui.json(&json!({"version": 1, "url": link}))
}

fn logs(context: &Context, profile: &str, lines: usize, mlflow: bool) -> anyhow::Result<()> {
    let state = local_workspace::state_folder(context, profile);
    let log = if mlflow {
        state.join("mlflow").join("server.log")
    } else {
        state.join("server.log")
    };
    if !log.exists() {
        return Failure::usage(format!("there is no log yet: {log}"))
            .next(local_workspace::command(context, "up", profile))
            .err();
    }
    context.ui.answer(&local_workspace::last_lines(&log, lines));
    Ok(())
}
