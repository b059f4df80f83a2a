//! Fetches a version's files: what has arrived stays for the next attempt, the folder appears when it is
//! whole, and its digest is compared with the one that was written down when the version was validated.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use xtask_remote::records::{self, VersionRecord};

use super::Pull;
use crate::bundle;
use crate::context::Context;
use crate::databricks::Target;
use crate::engine_failure;
use crate::error::Failure;
use crate::model_files;
use crate::python;
use crate::tools::{Need, Toolbox};

/// The version that is fetched.
pub(super) struct Version {
    model: String,
    number: u64,
    /// Digest of its files when it was validated; `None` where none was written down.
    digest: Option<String>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    target: &'a str,
    model: &'a str,
    /// The version of the model.
    number: u64,
    /// Digest of its files when it was validated.
    digest: Option<&'a str>,
    folder: &'a str,
}

/// Runs the command.
pub(super) fn run(context: &Context, args: &Pull) -> anyhow::Result<()> {
    let toolbox = bundle::ready(
        context,
        &[target_name(context, args)],
        &[Need::WorkspacePython],
    )?;
    let target = Target::open(context, &toolbox, target_name(context, args))?;
    let (version, folder) = obtain(context, &toolbox, &target, args)?;
    let folder = python::relative(context, &folder);
    context.ui.answer(folder.as_str());
    context.ui.json(&Answer {
        version: 1,
        target: &target.name,
        model: &version.model,
        number: version.number,
        digest: version.digest.as_deref(),
        folder: folder.as_str(),
    })
}

/// The target whose version it is.
pub(super) fn target_name<'a>(context: &'a Context, args: &'a Pull) -> &'a str {
    args.target
        .as_deref()
        .unwrap_or(&context.config.test.integration_target)
}

/// Fetches the version, where it is not here already; which one, and its folder.
pub(super) fn obtain(
    context: &Context,
    toolbox: &Toolbox,
    target: &Target<'_>,
    args: &Pull,
) -> anyhow::Result<(Version, Utf8PathBuf)> {
    let version = find(context, target, args)?;
    let folder = match &args.out {
        Some(out) => context.env.cwd.join(out),
        None => {
            let models = context.local().join("models");
            models.join(&version.model).join(version.number.to_string())
        }
    };
    let what = format!("{} version {}", version.model, version.number);
    if let Some(validated) = version.digest.as_deref().filter(|_| folder.exists()) {
        already(context, &folder, validated, &version, &what)?;
        return Ok((version, folder));
    }
    let partial = Utf8PathBuf::from(format!("{folder}.part"));
    fs_err::create_dir_all(&partial)?;
    fetch(context, toolbox, target, &version, &partial, &what)?;
    let fetched = verify(context, &partial, &version, &what)?;
    if folder.exists() {
        // Only the files themselves tell whether those of a version that was never validated are the same.
        fs_err::remove_dir_all(&partial)?;
        already(context, &folder, &fetched, &version, &what)?;
        return Ok((version, folder));
    }
    fs_err::rename(&partial, &folder)?;
    Ok((version, folder))
}

fn find(context: &Context, target: &Target<'_>, args: &Pull) -> anyhow::Result<Version> {
    let transport = target.transport();
    let summary = target.deployed()?;
    let key = &context.config.model.resource;
    let registry = context.config.model.registry;
    let model = summary.resources.model(&context.config);
    let Some(model) = model.and_then(|model| model.id.clone()) else {
        return Failure::usage(format!(
            "the model {key} is not deployed to {}",
            target.name
        ))
        .next(format!("cargo xtask deploy --target {}", target.name))
        .err();
    };
    let (number, record) = match args.number {
        Some(number) => match records::of_version(&*transport, registry, &model, number) {
            Ok(record) => (number, record),
            Err(error) if error.is_not_found() => {
                return none(&model, &format!("version {number}"), target);
            }
            Err(error) => return Err(error.into()),
        },
        None => match registry.aliased(&*transport, &model, &args.alias)? {
            Some(found) => (
                found.version,
                VersionRecord::read(&model, found.version, &found.tags),
            ),
            None => {
                return none(
                    &model,
                    &format!("version with the alias {}", args.alias),
                    target,
                );
            }
        },
    };
    Ok(Version {
        digest: record.artifact_digest,
        model,
        number,
    })
}

fn none<T>(model: &str, what: &str, target: &Target<'_>) -> anyhow::Result<T> {
    Failure::usage(format!("{model} has no {what}"))
        .next(format!("cargo xtask status   # what {} has", target.name))
        .err()
}

/// A folder that is there already is this version, or in the way.
fn already(
    context: &Context,
    folder: &Utf8Path,
    digest: &str,
    version: &Version,
    what: &str,
) -> anyhow::Result<()> {
    if records::artifact_digest(folder.as_std_path())? == digest {
        context
            .ui
            .status("Unchanged", &format!("{what} is here already"));
        return Ok(());
    }
    Failure::usage(format!(
        "{folder} exists and its files are not those of {what}"
    ))
    .next(format!(
        "cargo xtask model pull --number {} --out ANOTHER_FOLDER",
        version.number
    ))
    .err()
}

/// Fetches the files. What has its full length already came with an earlier attempt; the digest of the whole tells if
/// it is not what it should be.
fn fetch(
    context: &Context,
    toolbox: &Toolbox,
    target: &Target<'_>,
    version: &Version,
    folder: &Utf8Path,
    what: &str,
) -> anyhow::Result<()> {
    let progress = context.ui.progress("Fetching", what);
    let mut on_bytes = |done, total| {
        progress.bytes(done, total);
        !context.interrupt.is_set()
    };
    let transport = target.transport();
    let carrier = model_files::carrier(toolbox, target, context.config.model.registry);
    let (way, folder) = (&*transport, folder.as_std_path());
    let fetched = carrier.fetch(way, &version.model, version.number, folder, &mut on_bytes);
    context.interrupt.check()?;
    fetched.map_err(engine_failure::of)?;
    progress.finish("Fetched", what);
    Ok(())
}

/// The digest of the files, compared with what was validated; what differs is not kept.
fn verify(
    context: &Context,
    folder: &Utf8Path,
    version: &Version,
    what: &str,
) -> anyhow::Result<String> {
    let found = records::artifact_digest(folder.as_std_path())?;
    match &version.digest {
        Some(expected) if *expected == found => {
            context.ui.status(
                "Verified",
                &format!("its files are those that were validated: {found}"),
            );
            Ok(found)
        }
        Some(expected) => {
            fs_err::remove_dir_all(folder)?;
            let text = format!("the files of {what} are not those that were validated");
            Failure::failed(text)
                .details(format!("validated {expected}\narrived   {found}"))
                .next("call it again; if it says the same, do not use this version")
                .err()
        }
        None => {
            context.ui.warn(&format!(
                "no digest was written down for {what}: it was never validated; the files have {found}"
            ));
            Ok(found)
        }
    }
}
