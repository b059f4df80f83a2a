//! Where the tool of a new project comes from: a repository and a commit of it.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::record::Record;
use crate::context::{self, Surroundings};
use crate::error::Failure;
use crate::git::{Git, without_user};
use crate::temporary::Temporary;
use crate::tools::own_source::{self, Pinned};
use crate::words;

/// A version of the tool, with its files in a temporary folder.
#[derive(Debug)]
pub(super) struct Tool {
    /// Its repository, as cargo takes it.
    pub(super) url: String,
    /// All digits of the commit.
    pub(super) commit: String,
    /// Its tag, where it has one.
    pub(super) tag: Option<String>,
    tracked: Vec<Utf8PathBuf>,
    folder: Temporary,
}

/// Which version is taken.
struct Pin {
    url: String,
    /// A commit, a branch or a tag.
    revision: String,
    tag: Option<String>,
}

impl Tool {
    /// Finds the tool's repository and fetches the files of one commit.
    pub(super) fn fetch(
        around: &Surroundings,
        url: Option<&str>,
        revision: Option<&str>,
    ) -> anyhow::Result<Tool> {
        let mut pin = match url {
            Some(url) => Pin {
                url: named(around, url),
                revision: "HEAD".to_owned(),
                tag: None,
            },
            None => Pin::of_this_program(around)?,
        };
        if let Some(revision) = revision {
            pin.revision = revision.to_owned();
            pin.tag = is_version(revision).then(|| revision.to_owned());
        }
        let temporary = Utf8PathBuf::try_from(std::env::temp_dir())?;
        let folder = Temporary::folder(&temporary.join("xtask-init"))?;
        let git = Git::at(around, &folder)?;
        git.init("tool")?;
        let said = without_user(&pin.url, &pin.url);
        let progress = around
            .ui
            .progress("Fetching", &format!("the tool from {said}"));
        git.check_out_from(&pin.url, &pin.revision)?;
        progress.clear();
        Ok(Tool {
            commit: git.head().unwrap_or_default(),
            tracked: git.files()?,
            url: pin.url,
            tag: pin.tag,
            folder,
        })
    }

    /// The folder with its files.
    pub(super) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// The files that its repository tracks.
    pub(super) fn tracked(&self) -> &[Utf8PathBuf] {
        &self.tracked
    }

    /// Repository and version, in words.
    pub(super) fn place(&self) -> String {
        let version = self.tag.as_deref().unwrap_or(words::short(&self.commit));
        format!("{} ({version})", self.url)
    }

    /// The dependency in xtask/Cargo.toml.
    pub(super) fn dependency(&self) -> String {
        let url = toml::Value::from(self.url.as_str());
        match &self.tag {
            Some(tag) => format!(
                "{{ git = {url}, tag = {} }}",
                toml::Value::from(tag.as_str())
            ),
            None => format!("{{ git = {url}, rev = \"{}\" }}", self.commit),
        }
    }
}

impl Pin {
    /// The repository that this program was built from: around the current folder, or where it was installed from.
    fn of_this_program(around: &Surroundings) -> anyhow::Result<Pin> {
        let root = context::project_root(&around.env.cwd).ok();
        let of_project = root.as_deref().map(|root| Pin::of_project(around, root));
        let found = match of_project.transpose()?.flatten() {
            Some(pin) => Some(pin),
            None => Pin::of_installation(around)?,
        };
        found.ok_or_else(|| {
            Failure::usage("the repository of this tool is not known here")
                .next("name it: `cargo xtask init --tool URL`")
                .into()
        })
    }

    fn of_project(around: &Surroundings, root: &Utf8Path) -> anyhow::Result<Option<Pin>> {
        if own_source::is_the_tools_repository(root) {
            return Pin::of_clone(around, root).map(Some);
        }
        let lock = fs_err::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
        let locked = own_source::locked_commit(&lock).map(Pin::from);
        // A copy of the tool is of no repository for Cargo.lock; the record knows which it was.
        let copied = || {
            let tool = Record::read(root)?.tool;
            Some(Pin {
                url: tool.url,
                revision: tool.commit,
                tag: tool.tag,
            })
        };
        Ok(locked.or_else(copied))
    }

    /// What `cargo install` wrote beside the folder of the program.
    fn of_installation(around: &Surroundings) -> anyhow::Result<Option<Pin>> {
        let program = Utf8PathBuf::try_from(std::env::current_exe()?)?;
        let list = program
            .ancestors()
            .nth(2)
            .map(|root| root.join(".crates.toml"));
        let text = list.and_then(|list| fs_err::read_to_string(list).ok());
        let Some(Installed { v1 }) = text.and_then(|text| toml::from_str(&text).ok()) else {
            return Ok(None);
        };
        let own = concat!(env!("CARGO_PKG_NAME"), " ");
        let source = v1.keys().find_map(|package| package.strip_prefix(own));
        let source = source.and_then(|rest| rest.split_once('(')?.1.strip_suffix(')'));
        let Some(source) = source else {
            return Ok(None);
        };
        match source.strip_prefix("path+file://") {
            // ROOT/xtask/crates/mlops
            Some(path) => match Utf8Path::new(path).ancestors().nth(3) {
                Some(root) if own_source::is_the_tools_repository(root) => {
                    Pin::of_clone(around, root).map(Some)
                }
                _ => Ok(None),
            },
            None => Ok(own_source::git(source).map(Pin::from)),
        }
    }

    /// The commit of a clone: at its `origin` where that has the commit, else in the clone.
    fn of_clone(around: &Surroundings, root: &Utf8Path) -> anyhow::Result<Pin> {
        let git = Git::at(around, root)?;
        let Some(commit) = git.head() else {
            let what = format!("the tool's clone {root} has no commit");
            return Failure::usage(what)
                .next("cargo xtask init --tool URL")
                .err();
        };
        if git.state()?.changed_files > 0 {
            let what = format!(
                "the tool's clone has uncommitted changes: the project gets the tool of {}",
                words::short(&commit)
            );
            around.ui.warn(&what);
        }
        let origin = git
            .remotes()?
            .into_iter()
            .find(|remote| remote.name == "origin");
        let origin = origin.filter(|_| git.is_on_remote("origin", &commit));
        let url = match origin {
            Some(origin) => as_cargo_takes(&origin.fetch),
            None => {
                let top = git.top()?;
                around.ui.warn(&format!(
                    "no `origin` of the tool's clone has commit {}: the project will take the tool from {top}, which \
                     other machines lack; `--tool URL` names another repository",
                    words::short(&commit)
                ));
                as_cargo_takes(top.as_str())
            }
        };
        let tag = git
            .tags_at(&commit)?
            .into_iter()
            .find(|tag| is_version(tag));
        Ok(Pin {
            url,
            revision: commit,
            tag,
        })
    }
}

impl From<Pinned> for Pin {
    fn from(pinned: Pinned) -> Pin {
        Pin {
            url: pinned.url,
            revision: pinned.commit,
            tag: pinned.tag,
        }
    }
}

#[derive(Deserialize)]
struct Installed {
    v1: std::collections::BTreeMap<String, Vec<String>>,
}

fn is_version(tag: &str) -> bool {
    let digits = tag.strip_prefix('v').unwrap_or(tag);
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.')
}

/// The address of `--tool`, which may be a folder.
fn named(around: &Surroundings, url: &str) -> String {
    match around.env.cwd.join(url).canonicalize_utf8() {
        Ok(folder) => as_cargo_takes(folder.as_str()),
        Err(_) => as_cargo_takes(url),
    }
}

/// A repository's address as cargo takes it: without user and password, with a scheme.
fn as_cargo_takes(url: &str) -> String {
    if let Some((scheme, rest)) = url.split_once("://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = match scheme {
            "http" | "https" => host.rsplit('@').next().unwrap_or(host),
            _ => host,
        };
        return format!("{scheme}://{host}/{path}");
    }
    match url.split_once(':') {
        Some((host, path)) if !host.contains('/') => format!("ssh://{host}/{path}"),
        _ => format!("file://{url}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_gets_an_address_with_a_scheme_and_without_a_secret() {
        for (url, taken) in [
            (
                "git@github.com:acme/tool.git",
                "ssh://git@github.com/acme/tool.git",
            ),
            (
                "https://ann:secret@github.com/acme/tool",
                "https://github.com/acme/tool",
            ),
            (
                "ssh://git@github.com/acme/tool",
                "ssh://git@github.com/acme/tool",
            ),
            ("/home/ann/tool", "file:///home/ann/tool"),
            ("file:///home/ann/tool", "file:///home/ann/tool"),
        ] {
            assert_eq!(as_cargo_takes(url), taken);
        }
    }
}
