//! `cargo xtask workspace`: the local workspace of this clone.

pub(crate) mod conformance;
mod principal;

use camino::Utf8Path;
use xtask_remote::local::{self, Scheduled, Schedules};

use crate::bundle::{self, Place};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::local_workspace::{self, LocalWorkspace, Mode};
use crate::tools::{self, Need};
use crate::ui::Tone;

/// Options of `workspace`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start it, where it does not run
    Up {
        /// Let it run although nobody uses it.
        #[arg(long)]
        keep: bool,
        /// Let the schedules of jobs start runs; it then stays until `workspace down`.
        #[arg(long)]
        schedules: bool,
    },
    /// End it; its state stays
    Down,
    /// Say whether it runs, where, how MLflow is, and which jobs have a schedule
    Status {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print `export` lines that point any client at it: eval "$(cargo xtask workspace env)"
    Env,
    /// Make an identity for a program, such as CI, and print what it gets in with
    Principal(principal::Args),
    /// Open its pages in the browser, signed in
    Open {
        /// The page, such as /jobs/1/runs/2.
        #[arg(default_value = "/")]
        path: String,
    },
    /// Print the end of its log
    Logs {
        /// How many lines.
        #[arg(long, short = 'n', default_value_t = 100)]
        lines: usize,
        /// MLflow's log instead.
        #[arg(long)]
        mlflow: bool,
    },
    /// End it and remove its state: jobs, runs, models, files
    Reset,
    /// Drive a new one through the Databricks CLI, databricks-sdk and MLflow, and compare with docs/conformance.md
    Conformance {
        /// Write docs/conformance.md.
        #[arg(long)]
        write: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// When the workspace cannot be started, does not run, or does not end.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Up { keep, schedules } => {
            let (keep, schedules) = (*keep, *schedules);
            up(context, Mode { keep, schedules })
        }
        Command::Down => down(context),
        Command::Status { json } => status(context, *json),
        Command::Env => env(context),
        Command::Principal(args) => principal::run(context, args),
        Command::Open { path } => open(context, path),
        Command::Logs { lines, mlflow } => logs(context, *lines, *mlflow),
        Command::Reset => reset(context),
        Command::Conformance { write } => conformance::run(context, *write),
    }
}

fn started(context: &Context, mode: Mode) -> anyhow::Result<LocalWorkspace> {
    let toolbox = tools::ready(context, &[Need::Python, Need::WorkspaceProgram])?;
    local_workspace::start(context, &toolbox, mode)
}

fn up(context: &Context, mode: Mode) -> anyhow::Result<()> {
    let workspace = started(context, mode)?;
    let state = local::status(&workspace.http)?;
    if mode.schedules && !state.schedules {
        context
            .ui
            .warn("it already ran, and schedules still start nothing: take it down first");
    } else if mode.keep && !state.keep {
        context
            .ui
            .warn("it already ran and will still end when nobody uses it: take it down first");
    }
    context.ui.status(
        "Running",
        &format!("the local workspace at {}", workspace.url),
    );
    context.ui.status("Next", "cargo xtask workspace open");
    Ok(())
}

fn down(context: &Context) -> anyhow::Result<()> {
    match local_workspace::find(context)? {
        Some(workspace) => {
            local_workspace::stop(context, &workspace)?;
            context
                .ui
                .status("Ended", "the local workspace; its state stays");
        }
        None => context
            .ui
            .status("Nothing", "to end: the local workspace does not run"),
    }
    Ok(())
}

fn status(context: &Context, json: bool) -> anyhow::Result<()> {
    let Some(workspace) = local_workspace::find(context)? else {
        if json {
            context.ui.answer(r#"{"running":false}"#);
        } else {
            context
                .ui
                .answer("the local workspace does not run; start it: cargo xtask workspace up");
        }
        return Ok(());
    };
    let state = local::status(&workspace.http)?;
    let schedules = local::schedules(&workspace.http)?;
    if json {
        let object = serde_json::json!({
            "running": true, "url": state.url, "version": state.version, "user": state.user,
            "workspace_id": state.workspace_id, "uptime_seconds": state.uptime_seconds,
            "idle_seconds": state.idle_seconds, "keep": state.keep, "active_runs": state.active_runs,
            "mlflow": state.mlflow.state, "schedules": schedules,
        });
        context.ui.answer(&object.to_string());
        return Ok(());
    }
    let row = |name: &str, value: &str| {
        context.ui.answer(&format!(
            "{}  {value}",
            context.ui.paint(&format!("{name:<12}"), Tone::Strong)
        ));
    };
    row("address", &state.url);
    row("user", &state.user);
    row("active runs", &state.active_runs.to_string());
    row(
        "MLflow",
        &match state.mlflow.message {
            Some(message) => format!("{}: {message}", state.mlflow.state),
            None => state.mlflow.state,
        },
    );
    let end = match state.keep {
        true => "stays until `cargo xtask workspace down`".to_owned(),
        false => format!(
            "after {} idle minutes",
            context.config.workspace.idle_minutes
        ),
    };
    row("ends", &end);
    row("state", local_workspace::state_folder(context).as_str());
    row("schedules", &firing(&schedules));
    for job in &schedules.jobs {
        row("", &format!("{}  {}", job.name, due(job)));
    }
    Ok(())
}

/// Whether schedules start runs, in a sentence.
fn firing(schedules: &Schedules) -> String {
    match (schedules.firing, schedules.jobs.len()) {
        (_, 0) => "no job has one".to_owned(),
        (true, _) => "start runs".to_owned(),
        (false, _) => {
            "start nothing; to let them: cargo xtask workspace down, then up --schedules".to_owned()
        }
    }
}

/// When a job is due, in a sentence.
fn due(job: &Scheduled) -> String {
    let next = match (&job.next, job.paused, job.by_clock) {
        (_, true, _) => "paused".to_owned(),
        (_, _, false) => "fires on Databricks only".to_owned(),
        (Some(next), _, _) => format!("next {next}"),
        (None, _, _) => "never again".to_owned(),
    };
    format!("{}: {next}", job.trigger)
}

fn env(context: &Context) -> anyhow::Result<()> {
    let workspace = started(context, Mode::default())?;
    for (name, value) in local_workspace::variables(context, &workspace) {
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

fn open(context: &Context, path: &str) -> anyhow::Result<()> {
    if !path.starts_with('/') {
        return Failure::new(
            Kind::Usage,
            format!("\"{path}\" is no page: it starts with /"),
        )
        .err();
    }
    let workspace = started(context, Mode::default())?;
    let link = local::sign_in(&workspace.http, path)?;
    // Where no browser can be started (ssh, CI) the link alone is what the reader needs.
    if context.ui.can_ask() && open::that_detached(&link).is_ok() {
        context
            .ui
            .status("Opened", &format!("{}{path}", workspace.url));
    } else {
        context.ui.answer(&link);
    }
    Ok(())
}

fn logs(context: &Context, lines: usize, mlflow: bool) -> anyhow::Result<()> {
    let state = local_workspace::state_folder(context);
    let log = if mlflow {
        state.join("mlflow").join("server.log")
    } else {
        state.join("server.log")
    };
    if !log.exists() {
        return Failure::new(Kind::Usage, format!("there is no log yet: {log}"))
            .next("cargo xtask workspace up")
            .err();
    }
    context.ui.answer(&local_workspace::last_lines(&log, lines));
    Ok(())
}

fn reset(context: &Context) -> anyhow::Result<()> {
    let state = local_workspace::state_folder(context);
    if !state.exists() {
        context
            .ui
            .status("Nothing", "to remove: there is no local workspace yet");
        return Ok(());
    }
    let question = "Remove the local workspace's jobs, runs, models and files?";
    if !context.ui.confirm(question, false)? {
        return Failure::new(Kind::Interrupted, "nothing was removed")
            .next("cargo xtask workspace reset --yes")
            .err();
    }
    if let Some(workspace) = local_workspace::find(context)? {
        local_workspace::stop(context, &workspace)?;
    }
    fs_err::remove_dir_all(&state)?;
    forget_deployments(context)?;
    context.ui.status("Removed", "the local workspace's state");
    Ok(())
}

/// Removes the CLI's notes of what it deployed to the workspace that is gone: it would otherwise
/// look for jobs that do not exist any more.
fn forget_deployments(context: &Context) -> anyhow::Result<()> {
    let notes = context.root.join(".databricks").join("bundle");
    for target in bundle::targets(&context.root, &context.config)? {
        if target.place == Place::Local {
            remove_if_there(&notes.join(target.name))?;
        }
    }
    remove_if_there(&context.local().join("cache").join("databricks"))
}

fn remove_if_there(folder: &Utf8Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs_err::remove_dir_all(folder)?;
    }
    Ok(())
}
