//! The files of a version: here, there, and on the way.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use xtask_remote::databricks::files;
use xtask_remote::{Request, Transport};

use crate::calls::VERSION;
use crate::error::{Error, Refusal};

/// A file that Unity Catalog adds to a version's files; not part of what was trained.
const ADDED_BY_REGISTRY: &str = "registered_model_meta";

/// Told how many bytes of how many are done; answers whether to go on.
pub type OnBytes<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// Brings a version's files to and from a registry.
pub trait Carrier: Send + Sync {
    /// The files of a version: paths relative to its folder, and lengths in bytes.
    fn list(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
    ) -> Result<BTreeMap<String, u64>, Error>;

    /// Fetches all files of a version into a folder, where what has come in an earlier attempt counts.
    fn fetch(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
        folder: &Path,
        on_bytes: OnBytes<'_>,
    ) -> Result<(), Error>;

    /// The calls that put files of a folder into a version; `version` may be the word for one that is not known yet.
    fn uploads(&self, model: &str, version: &str, folder: &Path, names: &[&str]) -> Vec<Request>;

    /// Puts files of a folder into a version: by the calls of [`Carrier::uploads`] with that word filled in and their
    /// lengths in bytes, or in a way of its own that comes to the same.
    fn store(
        &self,
        transport: &dyn Transport,
        _model: &str,
        _version: u64,
        _folder: &Path,
        calls: &[(Request, u64)],
        on_bytes: OnBytes<'_>,
    ) -> Result<(), Error> {
        let total = calls.iter().map(|(_, length)| length).sum();
        let mut done = 0;
        for (call, length) in calls {
            if !on_bytes(done, total) {
                return Err(Error::Interrupted);
            }
            transport.send(call)?;
            done += length;
        }
        on_bytes(done, total);
        Ok(())
    }
}

/// By the Files API, where a version's files lie below `/Models`.
#[derive(Debug, Clone, Copy, Default)]
pub struct OverRest;

fn root(model: &str, version: &str) -> String {
    format!("/Models/{}/{version}", model.replace('.', "/"))
}

impl Carrier for OverRest {
    fn list(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
    ) -> Result<BTreeMap<String, u64>, Error> {
        match files::list_all(transport, &root(model, &version.to_string())) {
            Ok(mut listed) => {
                listed.remove(ADDED_BY_REGISTRY);
                Ok(listed)
            }
            // Nothing has been put there yet.
            Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn fetch(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
        folder: &Path,
        on_bytes: OnBytes<'_>,
    ) -> Result<(), Error> {
        let listed = self.list(transport, model, version)?;
        let root = root(model, &version.to_string());
        let call = |name: &str| files::download(&format!("{root}/{name}"));
        let what = format!("version {version} of {model}");
        fetch_all(transport, &what, &listed, &call, folder, on_bytes)
    }

    fn uploads(&self, model: &str, version: &str, folder: &Path, names: &[&str]) -> Vec<Request> {
        let root = root(model, version);
        let names = names.iter();
        names
            .map(|name| {
                let mut call = files::put(&folder.join(name), &format!("{root}/{name}"));
                call.path = call.path.replace("%7Bversion%7D", VERSION);
                call
            })
            .collect()
    }
}

/// Fetches listed files into a folder, each by its call. What has its length already came with an earlier attempt.
pub(crate) fn fetch_all(
    transport: &dyn Transport,
    what: &str,
    listed: &BTreeMap<String, u64>,
    call: &dyn Fn(&str) -> Request,
    folder: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<(), Error> {
    let total = listed.values().sum();
    let mut done = 0;
    remove_others(folder, listed)?;
    for (name, length) in listed {
        let Some(path) = below(folder, name) else {
            return Refusal::new(format!(
                "{what} has a file called {name:?}, which could land anywhere"
            ))
            .err();
        };
        let is_here = fs::metadata(&path).is_ok_and(|file| file.len() == *length);
        if !is_here {
            let mut on_part = |part| on_bytes(done + part, total);
            fetch_one(transport, &call(name), &path, *length, &mut on_part)?;
        }
        done += length;
        if !on_bytes(done, total) {
            return Err(Error::Interrupted);
        }
    }
    Ok(())
}

/// One file, whole or not at all under its own name.
fn fetch_one(
    transport: &dyn Transport,
    call: &Request,
    path: &Path,
    length: u64,
    on_part: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|source| Error::local(parent, source))?;
    }
    let mut arriving = path.as_os_str().to_owned();
    arriving.push(".arriving");
    let arriving = PathBuf::from(arriving);
    let mut stopped = false;
    let saved = transport.save(call, &arriving, &mut |part| {
        let go_on = on_part(part);
        stopped |= !go_on;
        go_on
    });
    if stopped {
        return Err(Error::Interrupted);
    }
    let saved = saved?;
    if saved != length {
        let reason = format!("{saved} bytes of {length} arrived");
        let call = call.call();
        return Err(xtask_remote::Error::Unexpected { call, reason }.into());
    }
    fs::rename(&arriving, path).map_err(|source| Error::local(path, source))
}

/// The place of a file in the folder; `None` for a name that leads out of it.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    name.split('/').all(plain).then(|| folder.join(name))
}

/// Removes what is in the folder and not in the version: it would count in the digest.
fn remove_others(folder: &Path, listed: &BTreeMap<String, u64>) -> Result<(), Error> {
    for name in files_of(folder)?.keys() {
        // A transport keeps beside a part by what it will know the rest.
        let part = name.strip_suffix(".of").unwrap_or(name);
        let arriving = part.strip_suffix(".arriving");
        if !listed.contains_key(name) && !arriving.is_some_and(|name| listed.contains_key(name)) {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(|source| Error::local(&path, source))?;
        }
    }
    Ok(())
}

/// All files below a folder: paths relative to it, and lengths; none where there is no folder.
pub fn files_of(folder: &Path) -> Result<BTreeMap<String, u64>, Error> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |source| Error::local(&folder, source);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.metadata().map_err(failed)?;
            match kind.is_dir() {
                true => folders.push((entry.path(), format!("{name}/"))),
                false => {
                    files.insert(name, kind.len());
                }
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = Path::new("/models/1");
        assert_eq!(below(folder, "a/b.txt"), Some("/models/1/a/b.txt".into()));
        for name in ["../x", "/etc/x", "a/../../x", "a//b", "", "a\\b", "./a"] {
            assert_eq!(below(folder, name), None, "{name}");
        }
    }
}
