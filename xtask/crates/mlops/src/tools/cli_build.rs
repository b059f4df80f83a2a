//! Building the Databricks CLI from its Go module.

use camino::Utf8Path;

use super::go::Go;
use super::go_build::{self, Program};
use super::workshop::Workshop;

/// Peak disk usage of the build in bytes: modules, compiled packages, the program.
pub(crate) const DISK: u64 = 3_000_000_000;
const MODULE: &str = "github.com/databricks/cli";

/// Builds `folder/databricks`.
pub(crate) fn build(workshop: &Workshop<'_>, go: &Go, folder: &Utf8Path) -> anyhow::Result<()> {
    let version = workshop.lock.databricks_cli.version;
    let program = Program {
        what: format!("Databricks CLI {version}"),
        file: "databricks",
        package: MODULE,
        go_mod: include_str!("../../tools/databricks-cli/go.mod"),
        go_sum: include_str!("../../tools/databricks-cli/go.sum"),
        values: format!("-X {MODULE}/internal/build.buildVersion={version}"),
    };
    go_build::build(workshop, go, folder, &program)
}
