//! `xtask-forge`: the program around the library.

use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use xtask_forge::{Config, PARTS, serve};
use xtask_local_server::program::{Options, run};

#[derive(Parser)]
#[command(name = "xtask-forge", version, about = "A GitHub on this machine")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the forge in the foreground on 127.0.0.1
    Serve(ServeArgs),
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    server: Options,
    /// Also serve github.com and api.github.com on this Unix socket (for gh)
    #[arg(long, value_name = "PATH")]
    socket: Option<Utf8PathBuf>,
    /// Append all requests and replies to this file, without tokens, one JSON object a line
    #[arg(long, value_name = "FILE")]
    exchanges: Option<Utf8PathBuf>,
}

fn main() -> ExitCode {
    let Command::Serve(args) = Cli::parse().command;
    run(&args.server, &PARTS, async |state, listener, signals| {
        let config = Config {
            state,
            socket: args.socket,
            exchanges: args.exchanges,
            idle: args.server.idle(),
        };
        serve(listener, config, signals).await
    })
}
