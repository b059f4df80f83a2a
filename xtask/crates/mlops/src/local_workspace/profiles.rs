//! The Databricks configuration file of this clone: one profile per local workspace and no others.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::LocalWorkspace;
use crate::context::Context;
use crate::files;

/// The file; see `[workspace]` in xtask.toml for the names of its profiles.
pub(crate) fn config_file(context: &Context) -> Utf8PathBuf {
    context.local().join("databrickscfg")
}

/// Writes the profile of a workspace, beside those of the others.
pub(super) fn write(context: &Context, workspace: &LocalWorkspace) -> anyhow::Result<()> {
    let profiles: Vec<&str> = context.config.workspace.profiles().collect();
    write_to(&config_file(context), &profiles, workspace)
}

fn write_to(path: &Utf8Path, profiles: &[&str], workspace: &LocalWorkspace) -> anyhow::Result<()> {
    let text = || {
        let present = fs_err::read_to_string(path).unwrap_or_default();
        let text = with(&present, profiles, workspace);
        (present != text).then_some(text)
    };
    if text().is_none() {
        return Ok(());
    }
    // Two commands may start two workspaces at once; the lock keeps both profiles.
    let _alone = alone(&path.with_extension("lock"))?;
    let Some(text) = text() else {
        return Ok(());
    };
    Ok(files::replace_private(path, text.as_bytes())?)
}

/// Locks the file; released on drop or with this process.
fn alone(lock: &Utf8Path) -> anyhow::Result<File> {
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(lock)?;
    lock.lock()?;
    Ok(lock)
}

/// The new text of the file: updates the workspace's section, keeps the others, and drops those no longer
/// in xtask.toml.
fn with(present: &str, profiles: &[&str], workspace: &LocalWorkspace) -> String {
    let mut sections = sections(present);
    let own = format!("host  = {}\ntoken = {}\n", workspace.url, workspace.token);
    sections.insert(&workspace.profile, own);
    let whose = match profiles {
        [_] => "the local workspace of this clone, and no other",
        _ => "the local workspaces of this clone, and no others",
    };
    let mut text = format!("; Written by `cargo xtask`: {whose}.\n");
    for profile in profiles {
        if let Some(section) = sections.get(profile) {
            text.push_str(&format!("[{profile}]\n{section}"));
        }
    }
    text
}

/// The lines of each section by name.
fn sections(text: &str) -> BTreeMap<&str, String> {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    let mut name = None;
    for line in text.lines() {
        let header = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match (header, name) {
            (Some(header), _) => name = Some(header),
            (None, Some(name)) if !line.trim().is_empty() => {
                let section = sections.entry(name).or_default();
                section.push_str(line);
                section.push('\n');
            }
            (None, _) => {}
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use xtask_remote::{Credentials, Http};

    use super::*;

    fn workspace(profile: &str, port: u16) -> LocalWorkspace {
        let url = format!("http://127.0.0.1:{port}");
        LocalWorkspace {
            profile: profile.to_owned(),
            http: Http::new(&url, Credentials::bearer("secret")).unwrap(),
            url,
            token: format!("token-{port}"),
        }
    }

    #[test]
    fn each_workspace_has_its_section_and_leaves_the_others_theirs() {
        let alone = with("", &["first"], &workspace("first", 1));
        assert_eq!(
            alone,
            "; Written by `cargo xtask`: the local workspace of this clone, and no other.\n\
             [first]\nhost  = http://127.0.0.1:1\ntoken = token-1\n"
        );
        let profiles = ["first", "second"];
        let both = with(&alone, &profiles, &workspace("second", 2));
        assert!(both.ends_with(
            "[first]\nhost  = http://127.0.0.1:1\ntoken = token-1\n\
             [second]\nhost  = http://127.0.0.1:2\ntoken = token-2\n"
        ));
        // Written again it stays as it is; a workspace that moved replaces its own section alone.
        assert_eq!(with(&both, &profiles, &workspace("first", 1)), both);
        let moved = with(&both, &profiles, &workspace("first", 3));
        assert_eq!(
            moved,
            both.replace("127.0.0.1:1", "127.0.0.1:3")
                .replace("token-1", "token-3")
        );
        assert_eq!(with(&both, &["first"], &workspace("first", 1)), alone);
    }

    #[test]
    fn two_writers_at_once_leave_both_sections() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("config");
        let profiles = ["first", "second"];
        for round in 0..100 {
            let _ = fs_err::remove_file(&path);
            let together = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                for profile in profiles {
                    let (path, together) = (&path, &together);
                    scope.spawn(move || {
                        together.wait();
                        write_to(path, &profiles, &workspace(profile, round)).unwrap();
                    });
                }
            });
            let text = fs_err::read_to_string(&path).unwrap();
            let names: Vec<&str> = sections(&text).into_keys().collect();
            assert_eq!(names, profiles, "round {round}");
        }
    }
}
