//! The files of a new project: those that the tool's repository has for its own example, with the overlays of
//! `xtask/crates/mlops/template` in their place or besides, under the new names.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use yaml_rust2::YamlLoader;

use super::answers::{Answers, Sample, Target};
use super::edits::{self, Defaults};
use super::names::LOCAL;
use super::tool::Tool;
use crate::config::Config;
use crate::error::Failure;

/// The overlays, in the tool's repository.
const OVERLAYS: &str = "xtask/crates/mlops/template";
/// The names of the example project, which the new ones replace.
const PACKAGE: &str = "mlops_stacks";
const DASHED: &str = "mlops-stacks";
/// In xtask/Cargo.toml: where the tool comes from.
const TOOL: &str = "{ TOOL }";
/// In README.md: the repository of the tool.
const REPOSITORY: &str = "TOOL_REPOSITORY";
/// What a copy of the tool needs besides its crates, as the tool's repository has it.
const WORKSPACE: &[&str] = &["Cargo.toml", "Cargo.lock", "xtask/Cargo.toml"];

/// Files by path.
pub(super) type Files = BTreeMap<Utf8PathBuf, File>;

/// A file of the new project.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) executable: bool,
}

/// template.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Which files of the repository are taken: `**` is any folders, `*` a part of one name.
    take: Vec<String>,
    /// Which of them are not.
    #[serde(default)]
    leave: Vec<String>,
}

/// The template of one version of the tool.
#[derive(Debug)]
pub(super) struct Template<'t> {
    tool: &'t Tool,
    manifest: Manifest,
}

impl Template<'_> {
    /// Reads the template of the tool's version.
    pub(super) fn open(tool: &Tool) -> anyhow::Result<Template<'_>> {
        let path = tool.folder().join(OVERLAYS).join("template.toml");
        let Ok(text) = fs_err::read_to_string(&path) else {
            let what = format!("the tool at {} has no template of a project", tool.place());
            return Failure::usage(what)
                .next("name a newer version with `--tool-rev`")
                .err();
        };
        let manifest = toml::from_str(&text).context("template.toml cannot be read")?;
        Ok(Template { tool, manifest })
    }

    /// The targets, with what they have before anything is answered.
    pub(super) fn targets(&self) -> anyhow::Result<Defaults> {
        let config = Config::parse(&self.text("xtask.toml")?).map_err(anyhow::Error::msg)?;
        let bundle = YamlLoader::load_from_str(&self.text("databricks.yml")?)?;
        let targets = bundle
            .first()
            .and_then(|bundle| bundle["targets"].as_hash());
        let target = |(name, target): (&yaml_rust2::Yaml, &yaml_rust2::Yaml)| {
            let name = name.as_str()?.to_owned();
            let branch = config
                .targets
                .get(&name)
                .and_then(|target| target.branch.clone());
            let target = Target {
                catalog: target["variables"]["catalog"].as_str()?.to_owned(),
                schema: PACKAGE.to_owned(),
                workspace: LOCAL.to_owned(),
                branch,
            };
            Some((name, target))
        };
        Ok(targets.into_iter().flatten().filter_map(target).collect())
    }

    /// The modules that the project's environment installs, by the names of their packages.
    pub(super) fn installed(&self) -> anyhow::Result<BTreeSet<String>> {
        let lock = self.text("uv.lock")?;
        let names = lock
            .lines()
            .filter_map(|line| line.strip_prefix("name = \""));
        Ok(names
            .map(|name| name.trim_end_matches('"').replace('-', "_"))
            .collect())
    }

    /// A file of the template that is no overlay of one kind.
    fn text(&self, path: &str) -> anyhow::Result<String> {
        let overlay = self.tool.folder().join(OVERLAYS).join("all").join(path);
        let text = match overlay.is_file() {
            true => fs_err::read_to_string(overlay)?,
            false => fs_err::read_to_string(self.tool.folder().join(path))?,
        };
        Ok(text)
    }

    /// Every file of the new project but Cargo.lock and the record.
    pub(super) fn files(
        &self,
        answers: &Answers,
        defaults: &Defaults,
        vendor: bool,
    ) -> anyhow::Result<Files> {
        let sample = answers.example == Some(Sample::Taxi);
        let layers = ["all", if sample { "taxi" } else { answers.kind.name() }];
        let mut files = Files::new();
        let mut put = |path: &Utf8Path, from: &Utf8Path| self.put(&mut files, path, from, answers);
        for path in self.tool.tracked() {
            let left = !sample && is_any(&self.manifest.leave, path);
            if is_any(&self.manifest.take, path) && !left {
                put(path, path)?;
            }
        }
        for layer in layers {
            let folder = Utf8Path::new(OVERLAYS).join(layer);
            for from in self.tool.tracked() {
                match from.strip_prefix(&folder) {
                    // The sample has notebooks and data of its own.
                    Ok(path) if sample && layer == "all" && path.starts_with("notebooks") => {}
                    Ok(path) => put(path, from)?,
                    Err(_) => {}
                }
            }
        }
        self.depend(&mut files, vendor)?;
        sort_lock(&mut files, &answers.dashed());
        edits::apply(&mut files, answers, defaults)?;
        Ok(files)
    }

    /// Takes a file under its new name.
    fn put(
        &self,
        files: &mut Files,
        path: &Utf8Path,
        from: &Utf8Path,
        answers: &Answers,
    ) -> anyhow::Result<()> {
        let renamed = |text: &str| {
            text.replace(PACKAGE, &answers.package)
                .replace(DASHED, &answers.dashed())
                .replace(REPOSITORY, &self.tool.url)
        };
        let mut file = self.read(from)?;
        if let Ok(text) = std::str::from_utf8(&file.bytes) {
            file.bytes = renamed(text).into_bytes();
        }
        files.insert(renamed(path.as_str()).into(), file);
        Ok(())
    }

    fn read(&self, path: &Utf8Path) -> anyhow::Result<File> {
        let path = self.tool.folder().join(path);
        let mode = fs_err::metadata(&path)?.permissions().mode();
        Ok(File {
            bytes: fs_err::read(&path)?,
            executable: mode & 0o100 != 0,
        })
    }

    /// Says in xtask/Cargo.toml where the tool comes from, or takes it whole.
    fn depend(&self, files: &mut Files, vendor: bool) -> anyhow::Result<()> {
        if vendor {
            // A copy makes no projects: `init` there takes the repository that it was copied from.
            let is_copied = |path: &&Utf8PathBuf| {
                path.starts_with("xtask/crates") && !path.starts_with(OVERLAYS)
            };
            let crates = self.tool.tracked().iter().filter(is_copied);
            for path in crates
                .map(Utf8PathBuf::as_path)
                .chain(WORKSPACE.iter().map(Utf8Path::new))
            {
                files.insert(path.to_owned(), self.read(path)?);
            }
            return Ok(());
        }
        let manifest = files.get_mut(Utf8Path::new("xtask/Cargo.toml"));
        let text = manifest
            .as_ref()
            .map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
        match (manifest, text) {
            (Some(file), Some(text)) if text.matches(TOOL).count() == 1 => {
                file.bytes = text.replace(TOOL, &self.tool.dependency()).into_bytes();
                Ok(())
            }
            _ => Failure::failed(format!("the template's xtask/Cargo.toml lacks {TOOL:?}")).err(),
        }
    }
}

/// Moves the renamed project to its place among the packages of uv.lock, where uv would put it.
fn sort_lock(files: &mut Files, dashed: &str) {
    const BETWEEN: &str = "\n\n[[package]]\nname = \"";
    let Some(file) = files.get_mut(Utf8Path::new("uv.lock")) else {
        return;
    };
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    let mut packages: Vec<&str> = text.trim_end().split(BETWEEN).collect();
    // The first part is what stands before all packages.
    let project = format!("{dashed}-project\"");
    if let Some(at) = packages
        .iter()
        .position(|package| package.starts_with(&project))
    {
        let own = packages.remove(at);
        let before = packages[1..].partition_point(|package| *package < own);
        packages.insert(before + 1, own);
        file.bytes = (packages.join(BETWEEN) + "\n").into_bytes();
    }
}

fn is_any(patterns: &[String], path: &Utf8Path) -> bool {
    patterns.iter().any(|pattern| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let path: Vec<&str> = path.as_str().split('/').collect();
        matches(&pattern, &path)
    })
}

/// Whether a path is as a pattern says, name by name.
fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        ([one, pattern @ ..], [name, path @ ..]) => is_name(one, name) && matches(pattern, path),
        _ => false,
    }
}

fn is_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| is_name(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_folders_and_parts_of_names() {
        let takes = |pattern: &str, path: &str| is_any(&[pattern.to_owned()], Utf8Path::new(path));
        assert!(takes("notebooks/**", "notebooks/tests/a.py"));
        assert!(takes("**/*.md", "docs/a.md") && takes("**/*.md", "a.md"));
        assert!(takes(
            ".github/workflows/mlops_stacks-*.yml",
            ".github/workflows/mlops_stacks-run-tests.yml"
        ));
        assert!(!takes("docs/*.md", "docs/images/a.md"));
        assert!(!takes("notebooks/**", "notebook.py"));
        assert!(takes("uv.lock", "uv.lock") && !takes("uv.lock", "uv.lock.bak"));
    }

    #[test]
    fn the_projects_package_stands_where_uv_would_put_it() {
        let lock = "version = 1\n\n[[package]]\nname = \"zoo-project\"\nversion = \"1\"\n\n[[package]]\nname = \"a\"\n\
                    \n[[package]]\nname = \"b\"\n";
        let file = File {
            bytes: lock.as_bytes().to_vec(),
            executable: false,
        };
        let mut files = Files::from([("uv.lock".into(), file)]);
        sort_lock(&mut files, "zoo");
        let sorted = "version = 1\n\n[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\n\n[[package]]\nname = \
                      \"zoo-project\"\nversion = \"1\"\n";
        assert_eq!(
            std::str::from_utf8(&files[Utf8Path::new("uv.lock")].bytes).unwrap(),
            sorted
        );
    }
}
