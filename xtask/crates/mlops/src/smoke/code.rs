//! A local copy of the code deployed to a target, cached by its state.

use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use xtask_remote::databricks::objects::{self, Object};

use crate::context::Context;
use crate::databricks::Target;
use crate::error::Failure;
use xtask_remote::sha256;

/// How long an unused copy is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The folder with a copy of `path`; downloads it if the cached copy is outdated.
pub(super) fn deployed(
    context: &Context,
    target: &Target<'_>,
    path: &str,
) -> anyhow::Result<Utf8PathBuf> {
    let found = objects::below(&*target.transport(), path)?;
    if !found.iter().any(|object| !object.is_folder()) {
        return Failure::usage(format!("nothing is deployed to {}", target.name))
            .next(format!("cargo xtask deploy --target {}", target.name))
            .err();
    }
    let copies = context.local().join("cache").join("deployed");
    fs_err::create_dir_all(&copies)?;
    let known = state(target, path, &found);
    let name = known.clone().unwrap_or_else(|| "unknown".to_owned());
    let copy = copies.join(format!("{}-{name}", target.name));
    if known.is_some() && copy.is_dir() {
        return Ok(copy);
    }
    let progress = context
        .ui
        .progress("Copying", &format!("the code of {}", target.name));
    sweep(&copies);
    let fresh = Utf8PathBuf::from(format!("{copy}.{}.part", std::process::id()));
    remove(&fresh)?;
    target.export(path, &fresh)?;
    if known.is_none() {
        remove(&copy)?;
    }
    match fs_err::rename(&fresh, &copy) {
        // Another command made the same copy.
        Err(_) if copy.is_dir() => remove(&fresh)?,
        other => other?,
    }
    progress.clear();
    Ok(copy)
}

/// A key of the files' present state, including manual changes; `None` where the workspace does not say
/// when they changed.
fn state(target: &Target<'_>, path: &str, found: &[Object]) -> Option<String> {
    let workspace = target.local.as_ref().map_or("", |local| &local.url);
    let mut text = format!("{workspace} {path}\n");
    for object in found.iter().filter(|object| !object.is_folder()) {
        let Object {
            path,
            object_id,
            object_type,
            size,
            ..
        } = object;
        let modified = object.modified_at?;
        text.push_str(&format!(
            "{path} {object_type} {object_id} {modified} {size:?}\n"
        ));
    }
    Some(sha256(text.as_bytes()).chars().take(24).collect())
}

/// Removes unused copies.
fn sweep(copies: &Utf8Path) {
    for entry in copies.read_dir_utf8().into_iter().flatten().flatten() {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let age = changed
            .ok()
            .and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if age.is_some_and(|age| age > KEPT) {
            let _ = fs_err::remove_dir_all(entry.path());
        }
    }
}

fn remove(folder: &Utf8Path) -> std::io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
