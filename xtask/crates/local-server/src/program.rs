//! Command line, log and signals of a server program.

use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::serving::{ServeError, bind};
use crate::state_dir::StateDir;

/// Options that every server has.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder for all state of this server
    #[arg(long, value_name = "DIR")]
    pub state: Utf8PathBuf,
    /// Port to listen on [default: the previous one, or a free one]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Stop after this many minutes without use; 0 means never
    #[arg(long, value_name = "M", default_value_t = 120)]
    pub idle_minutes: u64,
    /// Log level (error, warn, info, debug, trace) or a tracing filter
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
}

impl Options {
    /// The time after which an unused server stops; `None` means never.
    pub fn idle(&self) -> Option<Duration> {
        (self.idle_minutes > 0).then(|| Duration::from_secs(self.idle_minutes * 60))
    }
}

/// Resolves at the first SIGTERM or SIGINT.
pub type Signals = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens the state folder with its `parts`, listens, and serves. Exit codes are those of [`ServeError::exit_code`];
/// 2 also means a wrong option.
pub fn run(
    options: &Options,
    parts: &[&str],
    serve: impl AsyncFnOnce(StateDir, TcpListener, Signals) -> Result<(), ServeError>,
) -> ExitCode {
    // For all child processes, too.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let filter = match EnvFilter::try_new(&options.log_level) {
        Ok(filter) => filter,
        Err(error) => return fail(&format!("--log-level {}: {error}", options.log_level), 2),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let served = || {
        let state = StateDir::open(&options.state, parts)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = bind(&state, options.port).await?;
            let signals = signals()?;
            serve(state, listener, signals).await
        })
    };
    match served() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), error.exit_code()),
    }
}

/// Listens to both signals from now on.
fn signals() -> std::io::Result<Signals> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

#[expect(
    clippy::print_stderr,
    reason = "the one message that is not for the log"
)]
fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}
