//! `xtask-workspace`: the local workspace as a program. Everything it does is in the library.

use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use xtask_workspace::witness::Witness;
use xtask_workspace::{Config, ServeError, Spark, StateDir, bind, serve};

#[derive(Parser)]
#[command(
    name = "xtask-workspace",
    version,
    about = "A Databricks workspace on this machine"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the workspace in the foreground, on 127.0.0.1
    Serve(ServeArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// Folder that holds everything of this workspace
    #[arg(long, value_name = "DIR")]
    state: Utf8PathBuf,
    /// Python of the environment that runs notebooks
    #[arg(long, value_name = "PATH")]
    python: Utf8PathBuf,
    /// Python of the environment that runs MLflow's server; without it that of the notebooks
    #[arg(long, value_name = "PATH")]
    mlflow_python: Option<Utf8PathBuf>,
    /// Folder of packages that notebooks find behind those of their own environment: IPython, databricks-sdk, pip
    #[arg(long, value_name = "DIR")]
    kernel_packages: Option<Utf8PathBuf>,
    /// Port to listen on; without it the one of last time, or a free one
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// End after this many minutes without a request or an active run; 0 means never
    #[arg(long, value_name = "M", default_value_t = 120)]
    idle_minutes: u64,
    /// Never end for lack of work
    #[arg(long)]
    keep: bool,
    /// Let the schedules of jobs start runs; the workspace then ends only when it is told to
    #[arg(long)]
    schedules: bool,
    /// Master of the Spark cluster that runs the sessions of notebooks; without it they run here, on all cores
    #[arg(long, value_name = "URL", conflicts_with = "spark_remote")]
    spark_master: Option<String>,
    /// Spark Connect server that runs the sessions of notebooks
    #[arg(long, value_name = "URL")]
    spark_remote: Option<String>,
    /// Folder of jars that Spark sessions here have besides: those of Delta
    #[arg(long, value_name = "DIR")]
    spark_jars: Option<Utf8PathBuf>,
    /// What to log: error, warn, info, debug or trace, or a tracing filter
    #[arg(long, value_name = "L", default_value = "info")]
    log_level: String,
    /// Leave a route out, as `POST /api/2.2/jobs/create`: for the conformance test
    #[arg(long, value_name = "ROUTE", hide = true)]
    without: Vec<String>,
    /// Write each call's route and status to this file: for the conformance test
    #[arg(long, value_name = "FILE", hide = true)]
    record: Option<Utf8PathBuf>,
}

fn main() -> ExitCode {
    let Command::Serve(args) = Cli::parse().command;
    // For everything below, MLflow and the jobs included.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let filter = match EnvFilter::try_new(&args.log_level) {
        Ok(filter) => filter,
        Err(error) => return fail(&format!("--log-level {}: {error}", args.log_level), 2),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), error.exit_code()),
    }
}

fn run(args: ServeArgs) -> Result<(), ServeError> {
    let config = Config {
        state: StateDir::open(&args.state)?,
        mlflow_python: args.mlflow_python.unwrap_or_else(|| args.python.clone()),
        python: args.python,
        kernel_packages: args.kernel_packages,
        idle: (args.idle_minutes > 0 && !args.keep && !args.schedules)
            .then(|| Duration::from_secs(args.idle_minutes * 60)),
        keep: args.keep || args.schedules,
        schedules: args.schedules,
        witness: Witness::new(args.without, args.record.as_deref()).map_err(ServeError::Runtime)?,
        spark_jars: args.spark_jars,
        spark: match (args.spark_master, args.spark_remote) {
            (_, Some(address)) => Spark::Remote(address),
            (Some(address), None) => Spark::Master(address),
            (None, None) => Spark::Here,
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        let listener = bind(&config.state, args.port).await?;
        let signals = stop_signals().map_err(ServeError::Runtime)?;
        serve(listener, config, signals).await
    })
}

/// Resolves at the first SIGTERM or SIGINT; both are listened to from now on.
fn stop_signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[expect(
    clippy::print_stderr,
    reason = "the one place where this program speaks to whoever started it"
)]
fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}
