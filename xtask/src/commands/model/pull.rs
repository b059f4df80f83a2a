//! Fetches a version's files: what has arrived stays for the next attempt, the folder appears when it is
//! whole, and its digest is compared with the one that was written down when the version was validated.

use camino::{Utf8Path, Utf8PathBuf};
use xtask_remote::databricks::{files, models};
use xtask_remote::records::{self, VersionRecord};
use xtask_remote::{Error, Http, Transport};

use super::Pull;
use crate::context::Context;
use crate::databricks::Target;
use crate::error::{Failure, Kind};
use crate::python;
use crate::tools::{self, Need, Toolbox};

/// The version that is fetched.
struct Version {
    model: String,
    number: u64,
    /// Digest of its files when it was validated; `None` where none was written down.
    digest: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// [`Kind::Usage`] when there is no such version; [`Kind::Failed`] when its files have changed since they
/// were validated.
pub(super) fn run(context: &Context, args: &Pull) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::FOR_A_WORKSPACE)?;
    let usual = &context.config.test.integration_target;
    let target = Target::open(context, &toolbox, args.target.as_ref().unwrap_or(usual))?;
    let version = find(context, &target, args)?;
    let folder = match &args.out {
        Some(out) => context.env.cwd.join(out),
        None => {
            let models = context.local().join("models");
            models.join(&version.model).join(version.number.to_string())
        }
    };
    let what = format!("{} version {}", version.model, version.number);
    if folder.exists() {
        return already(context, &folder, &version, &what);
    }
    let partial = Utf8PathBuf::from(format!("{folder}.part"));
    fs_err::create_dir_all(&partial)?;
    match &target.local {
        Some(local) => by_file(context, &local.http, &version, &partial, &what)?,
        None => by_mlflow(context, &toolbox, &target, &version, &partial, &what)?,
    }
    verify(context, &partial, &version, &what)?;
    fs_err::rename(&partial, &folder)?;
    context
        .ui
        .answer(python::relative(context, &folder).as_str());
    Ok(())
}

fn find(context: &Context, target: &Target<'_>, args: &Pull) -> anyhow::Result<Version> {
    let transport = target.transport();
    let summary = target.summary()?;
    let key = &context.config.model.resource;
    let model = summary.resources.registered_models.get(key);
    let Some(model) = model.and_then(|model| model.id.clone()) else {
        let what = format!("the model {key} is not deployed to {}", target.name);
        return Failure::new(Kind::Usage, what)
            .next(format!("cargo xtask deploy --target {}", target.name))
            .err();
    };
    let (number, record) = match args.number {
        Some(number) => match records::of_version(&*transport, &model, number) {
            Ok(record) => (number, record),
            Err(error) if error.is_not_found() => {
                return none(&model, &format!("version {number}"), target);
            }
            Err(error) => return Err(error.into()),
        },
        None => match models::aliased(&*transport, &model, &args.alias)? {
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
    Failure::new(Kind::Usage, format!("{model} has no {what}"))
        .next(format!("cargo xtask status   # what {} has", target.name))
        .err()
}

/// A folder that is there already is this version, or in the way.
fn already(
    context: &Context,
    folder: &Utf8Path,
    version: &Version,
    what: &str,
) -> anyhow::Result<()> {
    let found = records::artifact_digest(folder.as_std_path())?;
    if version.digest.as_ref() == Some(&found) {
        context
            .ui
            .status("Unchanged", &format!("{what} is here already"));
        context
            .ui
            .answer(python::relative(context, folder).as_str());
        return Ok(());
    }
    Failure::new(
        Kind::Usage,
        format!("{folder} is there already and is not {what} as it was validated"),
    )
    .next(format!(
        "cargo xtask model pull --number {} --out ANOTHER_FOLDER",
        version.number
    ))
    .err()
}

/// Fetches file by file. What has its full length already came with an earlier attempt; the digest of
/// the whole tells if it is not what it should be.
fn by_file(
    context: &Context,
    http: &Http,
    version: &Version,
    folder: &Utf8Path,
    what: &str,
) -> anyhow::Result<()> {
    let root = format!(
        "/Models/{}/{}",
        version.model.replace('.', "/"),
        version.number
    );
    let listed = files::list_all(http as &dyn Transport, &root)?;
    let total: u64 = listed.values().sum();
    let progress = context.ui.progress("Fetching", what);
    let mut done = 0;
    for (name, length) in &listed {
        let Some(path) = below(folder, name) else {
            let text = format!("{what} has a file called {name:?}, which could land anywhere");
            return Failure::new(Kind::Failed, text).err();
        };
        let is_here = fs_err::metadata(&path).is_ok_and(|file| file.len() == *length);
        if !is_here {
            if let Some(parent) = path.parent() {
                fs_err::create_dir_all(parent)?;
            }
            let arriving = Utf8PathBuf::from(format!("{path}.arriving"));
            let request = files::download(&format!("{root}/{name}"));
            let mut on_bytes = |bytes| {
                progress.bytes(done + bytes, total);
                !context.interrupt.is_set()
            };
            let saved = http.save(&request, arriving.as_std_path(), &mut on_bytes);
            context.interrupt.check()?;
            let saved = saved?;
            if saved != *length {
                let reason = format!("{saved} bytes of {length} arrived");
                let call = request.call();
                return Err(Error::Unexpected { call, reason }.into());
            }
            fs_err::rename(&arriving, &path)?;
        }
        done += length;
        progress.bytes(done, total);
    }
    progress.finish("Fetched", what);
    Ok(())
}

/// The place of a file in the folder; `None` for a name that leads out of it.
fn below(folder: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    name.split('/').all(plain).then(|| folder.join(name))
}

/// On Databricks the Databricks CLI lends its sign-in to MLflow's own client: neither the token nor the
/// storage's credentials come to us.
fn by_mlflow(
    context: &Context,
    toolbox: &Toolbox,
    target: &Target<'_>,
    version: &Version,
    folder: &Utf8Path,
    what: &str,
) -> anyhow::Result<()> {
    const FETCH: &str = "import sys
import mlflow
mlflow.set_tracking_uri('databricks')
mlflow.set_registry_uri('databricks-uc')
mlflow.artifacts.download_artifacts(artifact_uri=sys.argv[1], dst_path=sys.argv[2])";
    let progress = context.ui.progress("Fetching", what);
    // MLflow fetches everything anew.
    fs_err::remove_dir_all(folder)?;
    fs_err::create_dir_all(folder)?;
    let source = format!("models:/{}/{}", version.model, version.number);
    let script = ["-c", FETCH, &source, folder.as_str()];
    let fetched = target.run_signed_in(toolbox.python.as_str(), &script, |line| {
        progress.message(crate::ui::safe_line(line));
    })?;
    if !fetched.ok() {
        return Failure::new(Kind::Service, format!("{what} could not be fetched"))
            .details(fetched.tail)
            .next("call it again with --explain")
            .err();
    }
    progress.finish("Fetched", what);
    Ok(())
}

/// Compares the files with what was validated; what differs is not kept.
fn verify(
    context: &Context,
    folder: &Utf8Path,
    version: &Version,
    what: &str,
) -> anyhow::Result<()> {
    let found = records::artifact_digest(folder.as_std_path())?;
    match &version.digest {
        Some(expected) if *expected == found => {
            context.ui.status(
                "Verified",
                &format!("its files are those that were validated: {found}"),
            );
            Ok(())
        }
        Some(expected) => {
            fs_err::remove_dir_all(folder)?;
            let text = format!("the files of {what} are not those that were validated");
            Failure::new(Kind::Failed, text)
                .details(format!("validated {expected}\narrived   {found}"))
                .next("call it again; if it says the same, do not use this version")
                .err()
        }
        None => {
            context.ui.warn(&format!(
                "no digest was written down for {what}: it was never validated; the files have {found}"
            ));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = Utf8Path::new("/models/1");
        assert_eq!(below(folder, "a/b.txt"), Some("/models/1/a/b.txt".into()));
        for name in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            "a//b",
            "",
            "a\\b",
            "./a",
        ] {
            assert_eq!(below(folder, name), None, "{name}");
        }
    }
}
