//! Installs tools from wheels on PyPI, each into its own virtual environment.

use camino::Utf8Path;

use super::lock::Wheels;
use super::python::Python;
use super::remedies;
use super::workshop::Workshop;
use crate::child_env::Program;
use crate::ui::Progress;

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
    let mut make = workshop.command(Program::Code, &python.path);
    make.args(["-m", "venv", folder.as_str()]);
    let made = workshop.run(make, &mut |_| ())?;
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
    let mut pip = workshop.command(Program::Pip, folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--progress-bar=off",
        "--no-deps",
        "--only-binary=:all:",
    ])
    .args(["--require-hashes", "--requirement", requirements.as_str()])
    // Settings that would install the package elsewhere.
    .env("PIP_USER", "0")
    .env_remove("PIP_TARGET")
    .env_remove("PIP_PREFIX")
    .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
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
