//! act, which runs GitHub workflows locally: found on PATH, or built from its Go module. Only `ci` needs
//! it.

use camino::{Utf8Path, Utf8PathBuf};

use super::go_build::{self, Program};
use super::workshop::Workshop;
use super::{go, remedies};
use crate::context::Context;

const MODULE: &str = "github.com/nektos/act";

/// The act on PATH if it is new enough, else the project's own, built if missing.
pub(crate) fn get(context: &Context) -> anyhow::Result<Utf8PathBuf> {
    let workshop = Workshop::open(context)?;
    let pinned = &workshop.lock.act;
    if let Some(path) = workshop.on_path("act") {
        match workshop.version(&path, &["--version"]) {
            Some(version) if version >= pinned.minimum => return Ok(path),
            _ => {}
        }
    }
    let name = format!("act-{}", pinned.version);
    if let Some(home) = workshop.installed(&name) {
        return Ok(home.join("act"));
    }
    if context.env.offline {
        return remedies::offline("act").err();
    }
    let _alone = workshop.alone()?;
    let home = match workshop.installed(&name) {
        Some(home) => home,
        None => workshop.install(&name, |folder| build(&workshop, folder))?,
    };
    Ok(home.join("act"))
}

fn build(workshop: &Workshop<'_>, folder: &Utf8Path) -> anyhow::Result<()> {
    let version = workshop.lock.act.version;
    let program = Program {
        what: format!("act {version}"),
        file: "act",
        package: MODULE,
        go_mod: include_str!("../../tools/act/go.mod"),
        go_sum: include_str!("../../tools/act/go.sum"),
        values: format!("-X main.version={version}"),
    };
    let go = go::get(workshop)?;
    go_build::build(workshop, &go, folder, &program)
}
