//! A release archive: downloaded, compared with its digest, unpacked.

use camino::Utf8Path;
use xtask_remote::download::{self, DownloadError};

use super::remedies;
use super::workshop::Workshop;
use crate::children::Program;
use crate::error::{Failure, Kind};

/// Copies one member of a zip archive to a file. Python's own module reads archives as they are
/// meant to be read, and every machine that comes here has it.
const UNPACK: &str = "import shutil, sys, zipfile\n\
    with zipfile.ZipFile(sys.argv[1]) as archive, archive.open(sys.argv[2]) as member, open(sys.argv[3], 'wb') as file:\n\
    \x20   shutil.copyfileobj(member, file)\n";

/// Puts the program `databricks` of the archive at `url` into `folder`.
///
/// # Errors
/// When it does not arrive whole, is not what its digest says, or cannot be unpacked.
pub(crate) fn fetch(
    workshop: &Workshop<'_>,
    url: &str,
    sha256: &str,
    python: &Utf8Path,
    folder: &Utf8Path,
) -> anyhow::Result<()> {
    let context = workshop.context;
    let what = format!("Databricks CLI {}", workshop.lock.databricks_cli.version);
    let progress = context.ui.progress("Fetching", &what);
    context.ui.explain(&format!("GET {url}"));
    let archive = folder.join("archive.zip");
    download::download(url, archive.as_std_path(), sha256, &mut |done, total| {
        if let Some(total) = total {
            progress.bytes(done, total);
        }
        !context.interrupt.is_set()
    })
    .map_err(|error| explain(&what, &error))?;
    context.interrupt.check()?;
    let program = folder.join("databricks");
    let mut unpack = workshop.command(Program::Code, python);
    unpack.args([
        "-c",
        UNPACK,
        archive.as_str(),
        "databricks",
        program.as_str(),
    ]);
    let unpacked = workshop.run(unpack, |_| ())?;
    if !unpacked.ok() {
        return remedies::failed(&format!("unpacking {what}"), &unpacked.tail).err();
    }
    fs_err::remove_file(&archive)?;
    make_executable(&program)?;
    progress.finish("Fetched", &what);
    Ok(())
}

fn make_executable(program: &Utf8Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(program, std::fs::Permissions::from_mode(0o755))
}

fn explain(what: &str, error: &DownloadError) -> Failure {
    match error {
        DownloadError::Unreachable { .. } | DownloadError::Stalled { .. } | DownloadError::Cut { .. } => {
            remedies::unreachable(what, &format!("{error}"))
        }
        DownloadError::Altered { .. } => remedies::failed(what, &format!("checksum mismatch: {error}")),
        DownloadError::File { .. } => remedies::failed(what, &error.to_string()),
        DownloadError::Cancelled => Failure::new(Kind::Interrupted, "interrupted"),
        DownloadError::Refused { .. } | DownloadError::NotAFile { .. } => {
            Failure::new(Kind::Missing, format!("{what}: {error}"))
                .next("look at that address in a browser; XTASK_CLI_ARCHIVES names another server of the same archives")
                .next(remedies::AGAIN)
        }
    }
}
