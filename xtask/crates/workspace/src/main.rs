//! `xtask-workspace`: the local workspace as a program. Everything it does is in the library.

use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use xtask_local_server::program::{Options, run};
use xtask_workspace::witness::Witness;
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
    /// Serve the workspace in the foreground, on 127.0.0.1
    Serve(ServeArgs),
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    server: Options,
    /// Python of the environment that runs notebooks
    #[arg(long, value_name = "PATH")]
    python: Utf8PathBuf,
    /// Python of the environment that runs MLflow's server; without it that of the notebooks
    #[arg(long, value_name = "PATH")]
    mlflow_python: Option<Utf8PathBuf>,
    /// Folder of packages that notebooks find behind those of their own environment: IPython, databricks-sdk, pip
    #[arg(long, value_name = "DIR")]
    kernel_packages: Option<Utf8PathBuf>,
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
    /// Leave a route out, as `POST /api/2.2/jobs/create`: for the conformance test
    #[arg(long, value_name = "ROUTE", hide = true)]
    without: Vec<String>,
    /// Write each call's route and status to this file: for the conformance test
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
            witness: Witness::new(args.without, args.record.as_deref())?,
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
