//! How quick `status` is, against services that answer in a given time.

use super::Bench;
use super::measure::answer_of;
use xshell::cmd;

use crate::child_env::{Program, sh};
use crate::error::Failure;

/// Stands in for GitHub and for a workspace, and calls the command.
const SERVICES: &str = include_str!("status_services.py");

/// The wall time with 10,000 model versions, 10,000 runs and 300 checks.
pub(super) fn seconds(bench: &Bench<'_>) -> anyhow::Result<f64> {
    measure(bench, "seconds")
}

/// How often it waits for a service, one after the other.
pub(super) fn round_trips(bench: &Bench<'_>) -> anyhow::Result<f64> {
    measure(bench, "round-trips")
}

/// The most memory that it takes.
pub(super) fn megabytes(bench: &Bench<'_>) -> anyhow::Result<f64> {
    measure(bench, "megabytes")
}

fn measure(bench: &Bench<'_>, what: &str) -> anyhow::Result<f64> {
    let folder = bench.scratch("status")?;
    let script = bench.scratch("status-script")?.join("status_services.py");
    fs_err::write(&script, SERVICES)?;
    let xtask = std::env::current_exe()?;
    let (python, root) = (&bench.toolbox.python, &bench.context.root);
    let line = cmd!(sh(), "{python} {script} {xtask} {root} {folder} {what}");
    let said = answer_of(bench, bench.command(Program::Xtask, line))?;
    said.trim()
        .parse()
        .map_err(|_| Failure::failed(format!("the script measured no number: {said}")).into())
}
