//! Where the sources of this tool are, as the project's cargo sees them. Never as they lay when this program was
//! compiled: that folder may be gone.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use xshell::cmd;

use super::remedies;
use super::workshop::Workshop;
use crate::child_env::{Program, sh};
use crate::error::Failure;

/// The package that a project's xtask depends on.
const TOOL: &str = env!("CARGO_PKG_NAME");
/// Below the root of the tool's repository.
const CRATES: &str = "xtask/crates";

/// Where the sources are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OwnSource {
    /// In the project: a clone of the tool's repository, or a copy of it.
    Project,
    /// In another folder, the root of the tool's repository.
    Folder(Utf8PathBuf),
    /// At a commit of a git repository.
    Git {
        /// As git takes it.
        url: String,
        /// All of its digits.
        commit: String,
    },
}

/// Whether the project holds the sources of this tool.
pub(crate) fn is_in(root: &Utf8Path) -> bool {
    root.join(CRATES).join("workspace/Cargo.toml").is_file()
}

/// Whether the project is the tool's own repository, and not one with a copy of the tool.
pub(crate) fn is_the_tools_repository(root: &Utf8Path) -> bool {
    let template = root.join(CRATES).join("mlops/template/template.toml");
    is_in(root) && template.is_file()
}

impl OwnSource {
    /// Looks into the project's Cargo.lock, and asks cargo where that does not tell.
    pub(crate) fn find(
        workshop: &Workshop<'_>,
        cargo: Option<&Utf8Path>,
    ) -> Result<OwnSource, Failure> {
        let root = &workshop.context.root;
        if is_in(root) {
            return Ok(OwnSource::Project);
        }
        let lock = fs_err::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
        let found = match locked(&lock) {
            None => None,
            Some(Some(source)) => git(&source).map(|pin| OwnSource::Git {
                url: pin.url,
                commit: pin.commit,
            }),
            Some(None) => folder(workshop, cargo.ok_or_else(remedies::no_cargo)?)?,
        };
        found.ok_or_else(remedies::no_workspace_sources)
    }
}

#[derive(Default, Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    source: Option<String>,
}

/// The repository and commit of the tool that a Cargo.lock names.
pub(crate) fn locked_commit(lock: &str) -> Option<Pinned> {
    git(&locked(lock)??)
}

/// The tool's source in a Cargo.lock; a path dependency has none.
fn locked(lock: &str) -> Option<Option<String>> {
    let lock: Lock = toml::from_str(lock).unwrap_or_default();
    let tool = lock
        .package
        .into_iter()
        .find(|package| package.name == TOOL);
    tool.map(|tool| tool.source)
}

/// A commit of the tool's repository, as cargo names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) url: String,
    /// All of its digits.
    pub(crate) commit: String,
    /// The tag that was asked for.
    pub(crate) tag: Option<String>,
}

/// Reads `git+URL?tag=NAME#COMMIT`.
pub(crate) fn git(source: &str) -> Option<Pinned> {
    let (address, commit) = source.strip_prefix("git+")?.rsplit_once('#')?;
    let (url, query) = address.split_once('?').unwrap_or((address, ""));
    Some(Pinned {
        url: url.to_owned(),
        commit: commit.to_owned(),
        tag: query.strip_prefix("tag=").map(str::to_owned),
    })
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    path: Option<Utf8PathBuf>,
}

fn folder(workshop: &Workshop<'_>, cargo: &Utf8Path) -> Result<Option<OwnSource>, Failure> {
    let line = cmd!(sh(), "{cargo} metadata --no-deps --format-version 1");
    let command = workshop.command(Program::Cargo, line);
    let asked = workshop.ask(command, Duration::from_secs(60));
    let said = asked.map_err(|error| remedies::failed("cargo metadata", &error.to_string()))?;
    let metadata: Metadata = serde_json::from_str(&said.stdout)
        .map_err(|_| remedies::failed("cargo metadata", &said.tail))?;
    let dependencies = metadata.packages.into_iter().flat_map(|p| p.dependencies);
    let tool = dependencies.filter(|dependency| dependency.name == TOOL);
    let crate_folder = tool.filter_map(|dependency| dependency.path).next();
    // ROOT/xtask/crates/mlops
    let root = crate_folder.and_then(|path| path.ancestors().nth(3).map(Utf8Path::to_owned));
    Ok(root.map(OwnSource::Folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_names_the_repository_and_the_commit() {
        let lock = |source: &str| format!("version = 4\n[[package]]\nname = \"{TOOL}\"\n{source}");
        let line = "source = \"git+https://github.com/o/r?tag=v0.1.0#0123abcd\"\n";
        let source = locked(&lock(line)).unwrap().unwrap();
        let pinned = Pinned {
            url: "https://github.com/o/r".to_owned(),
            commit: "0123abcd".to_owned(),
            tag: Some("v0.1.0".to_owned()),
        };
        assert_eq!(git(&source), Some(pinned));
        assert_eq!(locked(&lock("")), Some(None));
        assert_eq!(locked("version = 4\n"), None);
        assert_eq!(locked("no lock file"), None);
    }
}
