//! Building a program from its Go module, pinned by a go.mod and go.sum that xtask carries.

use std::process::Command;

use camino::Utf8Path;
use xshell::{Cmd, cmd};

use super::go::Go;
use super::remedies;
use super::workshop::{Workshop, remove};
use crate::child_env::{self, sh};
use crate::ui::Progress;

/// What is built.
pub(super) struct Program<'a> {
    /// Its name and version.
    pub(super) what: String,
    /// The file that it becomes.
    pub(super) file: &'a str,
    pub(super) package: &'a str,
    pub(super) go_mod: &'a str,
    pub(super) go_sum: &'a str,
    /// The `-X` flags of the linker.
    pub(super) values: String,
}

/// Builds `folder/FILE`.
pub(super) fn build(
    workshop: &Workshop<'_>,
    go: &Go,
    folder: &Utf8Path,
    program: &Program<'_>,
) -> anyhow::Result<()> {
    let what = &program.what;
    let progress = workshop
        .context
        .ui
        .progress("Building", &format!("{what}: reading its modules"));
    let source = folder.join("source");
    fs_err::create_dir_all(&source)?;
    fs_err::write(source.join("go.mod"), program.go_mod)?;
    fs_err::write(source.join("go.sum"), program.go_sum)?;
    let packages = count_packages(workshop, go, &source, program, &progress)?;
    let Program { package, file, .. } = program;
    let (program, flags) = (&go.path, format!("-s -w {}", program.values));
    let line = cmd!(
        sh(),
        "{program} build -v -trimpath -buildvcs=false -ldflags {flags} -o ../{file} {package}"
    );
    let mut built = 0;
    let done = workshop.run(command(workshop, go, line, &source), &mut |package| {
        built += 1;
        progress.message(format!(
            "{what}: package {built} of {packages}, {}",
            package.trim()
        ));
    })?;
    if !done.ok() {
        return remedies::failed(&format!("building {what}"), &done.tail).err();
    }
    fs_err::remove_dir_all(&source)?;
    if go.ours {
        remove(&workshop.folder.join("go-cache"))?;
    }
    progress.finish("Built", what);
    Ok(())
}

/// Downloads the modules and counts the program's packages.
fn count_packages(
    workshop: &Workshop<'_>,
    go: &Go,
    source: &Utf8Path,
    program: &Program<'_>,
    progress: &Progress,
) -> anyhow::Result<usize> {
    let Program { what, package, .. } = program;
    let path = &go.path;
    let list = cmd!(sh(), "{path} list -deps {package}");
    let mut modules = 0;
    let listed = workshop.run(command(workshop, go, list, source), &mut |line| {
        if let Some(module) = line.strip_prefix("go: downloading ") {
            modules += 1;
            progress.message(format!("{what}: module {modules}, {module}"));
        }
    })?;
    if !listed.ok() {
        return remedies::failed(&format!("downloading the modules of {what}"), &listed.tail).err();
    }
    Ok(listed.stdout.lines().count())
}

/// Go with the user's proxy and checksum settings, and no other setting that could change the build.
fn command(workshop: &Workshop<'_>, go: &Go, line: Cmd<'_>, source: &Utf8Path) -> Command {
    let mut command = workshop.command(child_env::Program::Go, line);
    command.current_dir(source);
    for name in "GOROOT GOOS GOARCH GOBIN GOEXPERIMENT GODEBUG GOAMD64 GOARM64".split(' ') {
        command.env_remove(name);
    }
    command
        .env("GOFLAGS", "-mod=readonly -modcacherw")
        .env("GOWORK", "off")
        .env("GO111MODULE", "on")
        // Use this Go: another toolchain would be a download without consent.
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0");
    if go.ours {
        // Without a Go of their own, users have no use for 2 GB of Go caches in their home folder.
        let cache = workshop.folder.join("go-cache");
        command
            .env("GOPATH", cache.join("path"))
            .env("GOMODCACHE", cache.join("modules"))
            .env("GOCACHE", cache.join("build"));
    }
    command
}
