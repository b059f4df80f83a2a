//! `xtask-workspace`: the program around the library.

use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use xtask_local_server::program::{Options, run};
use xtask_workspace::conformance::Recorder;
use xtask_workspace::{Config, PARTS, Spark, serve};

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
    /// Serve the workspace in the foreground on 127.0.0.1
    Serve(ServeArgs),
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    server: Options,
    /// Python of the environment for notebooks
    #[arg(long, value_name = "PATH")]
    python: Utf8PathBuf,
    /// Python of the environment for MLflow's server [default: that of --python]
    #[arg(long, value_name = "PATH")]
    mlflow_python: Option<Utf8PathBuf>,
    /// Folder of packages for notebooks besides their own environment: IPython, databricks-sdk, pip
    #[arg(long, value_name = "DIR")]
    kernel_packages: Option<Utf8PathBuf>,
    /// Keep running when idle
    #[arg(long)]
    keep: bool,
    /// Let schedules start runs; implies --keep
    #[arg(long)]
    schedules: bool,
    /// Spark master for the sessions of notebooks [default: local, all cores]
    #[arg(long, value_name = "URL", conflicts_with = "spark_remote")]
    spark_master: Option<String>,
    /// Spark Connect server for the sessions of notebooks
    #[arg(long, value_name = "URL")]
    spark_remote: Option<String>,
    /// Folder of additional jars for local Spark sessions, such as Delta's
    #[arg(long, value_name = "DIR")]
    spark_jars: Option<Utf8PathBuf>,
    /// Leave out a route, such as `POST /api/2.2/jobs/create`: for the conformance test
    #[arg(long, value_name = "ROUTE", hide = true)]
    without: Vec<String>,
    /// Append each call's route and status to this file: for the conformance test
    #[arg(long, value_name = "FILE", hide = true)]
    record: Option<Utf8PathBuf>,
}

fn main() -> ExitCode {
    let Command::Serve(args) = Cli::parse().command;
    run(&args.server, &PARTS, async |state, listener, signals| {
        let keep = args.keep || args.schedules;
        let config = Config {
            state,
            mlflow_python: args.mlflow_python.unwrap_or_else(|| args.python.clone()),
            python: args.python,
            kernel_packages: args.kernel_packages,
            idle: args.server.idle().filter(|_| !keep),
            keep,
            schedules: args.schedules,
            conformance: Recorder::new(args.without, args.record.as_deref())?,
            spark_jars: args.spark_jars,
            spark: match (args.spark_master, args.spark_remote) {
                (_, Some(address)) => Spark::Remote(address),
                (Some(address), None) => Spark::Master(address),
                (None, None) => Spark::Here,
            },
        };
        serve(listener, config, signals).await
    })
}
