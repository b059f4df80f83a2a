//! uv, which creates the locked Python environment.

use camino::{Utf8Path, Utf8PathBuf};

use super::python::Python;
use super::workshop::Workshop;
use super::{Item, Sight, pypi, python, remedies};

/// Fetching uv from PyPI.
#[derive(Debug)]
pub(crate) struct Plan {
    python: Python,
    /// Why the one on PATH is not used.
    pub(crate) note: Option<String>,
}

/// Looks for uv on PATH, then among the installed tools.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Plan> {
    let wheels = &workshop.lock.uv;
    let mut note = None;
    if let Some(path) = workshop.on_path("uv") {
        match workshop.version(&path, &["--version"]) {
            Some(version) if version >= wheels.minimum => {
                return Sight::Here(path, version.to_string());
            }
            Some(version) => note = Some(remedies::too_old("uv", &path, version, wheels.minimum)),
            None => {
                note = Some(format!(
                    "{path} does not report its version; using a separate uv for this project"
                ))
            }
        }
    }
    if let Some(home) = workshop.installed(&name(workshop)) {
        return Sight::Here(program(&home), wheels.version.to_string());
    }
    match python::find(workshop).and_then(Python::for_environments) {
        Ok(python) => Sight::Fetch(Plan { python, note }),
        Err(failure) => Sight::Cannot(failure),
    }
}

/// The item for the prompt.
pub(crate) fn item(workshop: &Workshop<'_>) -> Item {
    Item {
        what: format!("uv {}", workshop.lock.uv.version),
        how: "from PyPI, 18 MB".to_owned(),
        disk: 120_000_000,
        asks: true,
    }
}

pub(crate) fn fetch(workshop: &Workshop<'_>, plan: &Plan) -> anyhow::Result<Utf8PathBuf> {
    let wheels = &workshop.lock.uv;
    let names = (&*name(workshop), &*format!("uv {}", wheels.version));
    pypi::fetch(workshop, &plan.python, "uv", wheels, names).map(|home| program(&home))
}

fn name(workshop: &Workshop<'_>) -> String {
    format!("uv-{}", workshop.lock.uv.version)
}

fn program(home: &Utf8Path) -> Utf8PathBuf {
    home.join("bin/uv")
}
