//! Checks that registries are reachable, with their ordinary clients, so that the user's index, proxy and
//! certificate settings apply.

use std::process::Command;
use std::time::Duration;

use xshell::cmd;

use super::python::Python;
use super::workshop::Workshop;
use super::{Sight, go, remedies};
use crate::child_env::{Program, sh};
use crate::error::Failure;

/// The timeout of a registry.
const LIMIT: Duration = Duration::from_secs(30);

/// The result of such a check.
#[derive(Debug)]
pub(crate) enum Reached {
    /// It answers.
    Yes,
    /// It does not.
    No(Failure),
    /// Not checked, and why.
    Untried(&'static str),
}

/// Checks the package index that pip uses.
pub(crate) fn package_index(workshop: &Workshop<'_>, python: &Python) -> Reached {
    let python = &python.path;
    let line = cmd!(
        sh(),
        "{python} -m pip index versions uv --timeout=5 --retries=0"
    )
    .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let command = workshop.command(Program::Pip, line);
    reached(workshop, command, "the package index (PyPI)")
}

/// Checks Go's module proxy for the Databricks CLI.
pub(crate) fn module_proxy(workshop: &Workshop<'_>) -> Reached {
    let Sight::Here(go, _) = go::look(workshop) else {
        return Reached::Untried("Go is not installed yet");
    };
    let version = workshop.lock.databricks_cli.version.to_string();
    let line = cmd!(sh(), "{go} list -m github.com/databricks/cli@v{version}")
        .env("GOFLAGS", "-mod=mod")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off");
    let mut list = workshop.command(Program::Go, line);
    list.current_dir(std::env::temp_dir());
    reached(workshop, list, "Go's module proxy")
}

fn reached(workshop: &Workshop<'_>, command: Command, what: &str) -> Reached {
    match workshop.ask(command, LIMIT) {
        Ok(asked) if asked.ok() => Reached::Yes,
        Ok(asked)
            if ["No module named pip", "unknown command"]
                .iter()
                .any(|no| asked.tail.contains(no)) =>
        {
            Reached::Untried("this Python has no pip")
        }
        Ok(asked) => Reached::No(remedies::unreachable(what, &asked.tail)),
        Err(error) => Reached::No(remedies::unreachable(what, &error.to_string())),
    }
}
