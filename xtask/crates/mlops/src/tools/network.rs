//! Checks that registries are reachable, with their ordinary clients, so that the user's index, proxy and
//! certificate settings apply.

use std::time::Duration;

use super::python::Python;
use super::workshop::Workshop;
use super::{Sight, go, remedies};
use crate::child_env::Program;
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
    let mut pip = workshop.command(Program::Pip, &python.path);
    pip.args([
        "-m",
        "pip",
        "index",
        "versions",
        "uv",
        "--timeout=5",
        "--retries=0",
    ])
    .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    match workshop.ask(pip, LIMIT) {
        Ok(asked) if asked.ok() => Reached::Yes,
        Ok(asked)
            if asked.tail.contains("No module named pip")
                || asked.tail.contains("unknown command") =>
        {
            Reached::Untried("this Python has no pip")
        }
        Ok(asked) => Reached::No(remedies::unreachable(
            "the package index (PyPI)",
            &asked.tail,
        )),
        Err(error) => Reached::No(remedies::unreachable(
            "the package index (PyPI)",
            &error.to_string(),
        )),
    }
}

/// Checks Go's module proxy for the Databricks CLI.
pub(crate) fn module_proxy(workshop: &Workshop<'_>) -> Reached {
    let Sight::Here(go, _) = go::look(workshop) else {
        return Reached::Untried("Go is not installed yet");
    };
    let module = format!(
        "github.com/databricks/cli@v{}",
        workshop.lock.databricks_cli.version
    );
    let mut list = workshop.command(Program::Go, go);
    list.args(["list", "-m", &module])
        .current_dir(std::env::temp_dir())
        .env("GOFLAGS", "-mod=mod")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off");
    match workshop.ask(list, LIMIT) {
        Ok(asked) if asked.ok() => Reached::Yes,
        Ok(asked) => Reached::No(remedies::unreachable("Go's module proxy", &asked.tail)),
        Err(error) => Reached::No(remedies::unreachable(
            "Go's module proxy",
            &error.to_string(),
        )),
    }
}
