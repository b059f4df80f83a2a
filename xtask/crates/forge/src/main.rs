//! `xtask-forge`: the local GitHub as a program. Everything it does is in the library.

use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use xtask_forge::{Config, ServeError, StateDir, bind, serve};

#[derive(Parser)]
#[command(name = "xtask-forge", version, about = "A GitHub on this machine")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the forge in the foreground, on 127.0.0.1
    Serve(ServeArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// Folder that holds everything of this forge
    #[arg(long, value_name = "DIR")]
    state: Utf8PathBuf,
    /// Port to listen on; without it the one of last time, or a free one
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Also answer on this Unix socket, as github.com and api.github.com (for gh)
    #[arg(long, value_name = "PATH")]
    socket: Option<Utf8PathBuf>,
    /// Append what goes over the wire to this file, without tokens, one JSON object a line
    #[arg(long, value_name = "FILE")]
    exchanges: Option<Utf8PathBuf>,
    /// End after this many minutes without a request; 0 means never
    #[arg(long, value_name = "M", default_value_t = 120)]
    idle_minutes: u64,
    /// What to log: error, warn, info, debug or trace, or a tracing filter
    #[arg(long, value_name = "L", default_value = "info")]
    log_level: String,
}

fn main() -> ExitCode {
    let Command::Serve(args) = Cli::parse().command;
    // For everything below, git included.
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
        socket: args.socket,
        exchanges: args.exchanges,
        idle: (args.idle_minutes > 0).then(|| Duration::from_secs(args.idle_minutes * 60)),
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
