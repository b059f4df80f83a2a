//! The commands of `cargo xtask`: from a laptop through a pull request to production.
//!
//! A project's own `xtask` crate hands over to [`Cli`], and may add commands to it. `Cli` parses the
//! command line, builds the [`Context`], runs one command and reports its result. Commands are in
//! `commands/`; wrappers of git, the Databricks CLI, Python and the tools are here; REST is in the crate
//! `xtask-remote`.

mod bundle;
mod check_log;
mod checks;
mod child_env;
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
mod files;
mod fingerprint;
mod follow;
mod git;
mod github;
mod interrupt;
mod lineage;
mod links;
mod local_workspace;
mod model_files;
mod next_step;
mod notebook_events;
mod overview;
mod process;
mod pull_request;
mod python;
mod results;
mod secrets;
mod smoke;
mod steps;
mod task_failures;
mod temporary;
mod terminal_text;
mod tools;
mod ui;
mod vars;
mod words;

pub use cli::Cli;
pub use config::Config;
pub use context::Context;
pub use error::{Failure, Kind};
pub use ui::Ui;
