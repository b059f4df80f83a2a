//! Downloads release files, checks their digests and unpacks archives.

use camino::Utf8Path;
use xshell::cmd;
use xtask_remote::download::{self, DownloadError};

use super::remedies;
use super::workshop::Workshop;
use crate::child_env::{Program, sh};
use crate::context::Context;
use crate::error::Failure;
use crate::ui::Progress;
use crate::vars;

/// Copies one member of a zip archive to a file, with Python's own module: Python is always there at this
/// point.
const UNPACK: &str = "import shutil, sys, zipfile\n\
    with zipfile.ZipFile(sys.argv[1]) as archive, archive.open(sys.argv[2]) as member, open(sys.argv[3], 'wb') as file:\n\
    \x20   shutil.copyfileobj(member, file)\n";

/// Where a file comes from.
#[derive(Debug)]
pub(crate) struct Source<'s> {
    /// Its address.
    pub(crate) url: &'s str,
    /// Its digest, in hex.
    pub(crate) sha256: &'s str,
    /// The variable that sets a mirror.
    pub(crate) mirror: &'static str,
}

/// Puts the program `databricks` of the archive at `url` into `folder`.
pub(crate) fn fetch(
    workshop: &Workshop<'_>,
    url: &str,
    sha256: &str,
    python: &Utf8Path,
    folder: &Utf8Path,
) -> anyhow::Result<()> {
    let what = format!("Databricks CLI {}", workshop.lock.databricks_cli.version);
    let progress = workshop.context.ui.progress("Fetching", &what);
    let archive = folder.join("archive.zip");
    let source = Source {
        url,
        sha256,
        mirror: vars::XTASK_CLI_ARCHIVES,
    };
    download(workshop, &what, &source, &archive, &progress)?;
    let program = folder.join("databricks");
    let line = cmd!(sh(), "{python} -c {UNPACK} {archive} databricks {program}");
    let unpacked = workshop.run(workshop.command(Program::Code, line), &mut |_| ())?;
    if !unpacked.ok() {
        return remedies::failed(&format!("unpacking {what}"), &unpacked.tail).err();
    }
    fs_err::remove_file(&archive)?;
    make_executable(&program)?;
    progress.finish("Fetched", &what);
    Ok(())
}

/// Downloads one file.
pub(crate) fn download(
    workshop: &Workshop<'_>,
    what: &str,
    source: &Source<'_>,
    target: &Utf8Path,
    progress: &Progress,
) -> anyhow::Result<()> {
    let Context { ui, interrupt, .. } = workshop.context;
    ui.explain(&format!("GET {}", source.url));
    let on_bytes = &mut |done, total| {
        if let Some(total) = total {
            progress.bytes(done, total);
        }
        !interrupt.is_set()
    };
    download::download(source.url, target.as_std_path(), source.sha256, on_bytes)
        .map_err(|error| explain(what, source, &error))?;
    interrupt.check()
}

fn make_executable(program: &Utf8Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(program, std::fs::Permissions::from_mode(0o755))
}

fn explain(what: &str, source: &Source<'_>, error: &DownloadError) -> Failure {
    match error {
        DownloadError::Unreachable { .. }
        | DownloadError::Stalled { .. }
        | DownloadError::Cut { .. } => remedies::unreachable(what, &format!("{error}")),
        DownloadError::Altered { .. } => {
            remedies::failed(what, &format!("checksum mismatch: {error}"))
        }
        DownloadError::File { .. } => remedies::failed(what, &error.to_string()),
        DownloadError::Cancelled => Failure::interrupted("interrupted"),
        DownloadError::Refused { .. } | DownloadError::NotAFile { .. } => {
            Failure::missing(format!("{what}: {error}"))
                .next(format!(
                    "open that address in a browser; set {} to use a mirror",
                    source.mirror
                ))
                .next(remedies::AGAIN)
        }
    }
}
