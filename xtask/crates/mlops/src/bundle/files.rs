//! The files of a bundle, only to detect changes.

use camino::{Utf8Path, Utf8PathBuf};

use xtask_remote::sha256;

/// The file names of a bundle.
const ROOTS: &[&str] = &[
    "databricks.yml",
    "databricks.yaml",
    "bundle.yml",
    "bundle.yaml",
];

/// Whether a folder contains a bundle.
pub(crate) fn exists(root: &Utf8Path) -> bool {
    root_file(root).is_some()
}

/// The name of the bundle's root file.
pub(super) fn root_file(root: &Utf8Path) -> Option<&'static str> {
    let mut names = ROOTS.iter().copied();
    names.find(|name| root.join(name).is_file())
}

/// The maximum depth of the search.
const DEPTH: usize = 5;

/// Large folders without bundle files.
const OTHERS: &[&str] = &["target", "node_modules", "mlruns"];

/// Digest of all YAML files below the bundle's folder, included or not, as a new file may match an include,
/// and of known includes elsewhere.
pub(super) fn digest(root: &Utf8Path, included: &[String]) -> String {
    let mut files: Vec<Utf8PathBuf> = included.iter().map(|name| root.join(name)).collect();
    collect(root, DEPTH, &mut files);
    files.sort();
    files.dedup();
    let mut text = String::new();
    for file in files {
        let content = fs_err::read(&file).unwrap_or_default();
        text.push_str(&format!("{file} {}\n", sha256(&content)));
    }
    sha256(text.as_bytes())
}

fn collect(folder: &Utf8Path, depth: usize, files: &mut Vec<Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let skipped = name.starts_with('.') || OTHERS.contains(&name);
        if kind.is_dir() && !skipped && depth > 0 {
            collect(path, depth - 1, files);
        } else if !kind.is_dir() && matches!(path.extension(), Some("yml" | "yaml")) {
            files.push(path.to_owned());
        }
    }
}

/// Sorts target names by file order; the CLI sorts them by name.
pub(super) fn in_order(root: &Utf8Path, included: &[String], names: Vec<String>) -> Vec<String> {
    let roots = ROOTS.iter().map(|name| (*name).to_owned());
    let mut lines = Vec::new();
    for name in roots.chain(included.iter().cloned()) {
        let text = fs_err::read_to_string(root.join(name)).unwrap_or_default();
        let text = text.split_once("targets:").map(|(_, rest)| rest.to_owned());
        lines.extend(
            text.unwrap_or_default()
                .lines()
                .map(|line| line.trim().to_owned()),
        );
    }
    let mut names = names;
    names.sort_by_key(|name| {
        let start = format!("{name}:");
        let at = lines.iter().position(|line| line.starts_with(&start));
        at.unwrap_or(usize::MAX)
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_keep_the_order_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let yaml = "variables:\n  prod: {}\ntargets:\n  dev:\n    default: true\n  \"x\": {}\n  test: {}\n";
        fs_err::write(root.join("databricks.yaml"), yaml).unwrap();
        fs_err::write(root.join("more.yml"), "targets:\n  prod:\n  a:\n").unwrap();
        let names = ["a", "dev", "prod", "test", "x"].map(str::to_owned);
        let ordered = in_order(root, &["more.yml".to_owned()], names.to_vec());
        assert_eq!(ordered, ["dev", "test", "prod", "a", "x"]);
    }

    #[test]
    fn a_new_file_is_another_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir_all(root.join("a/b")).unwrap();
        let mut seen = vec![digest(root, &[])];
        for (name, text) in [
            ("databricks.yml", "a"),
            ("databricks.yml", "b"),
            ("a/b/targets.yaml", "a"),
        ] {
            fs_err::write(root.join(name), text).unwrap();
            let now = digest(root, &[]);
            assert!(!seen.contains(&now), "{name}");
            seen.push(now);
        }
        fs_err::write(root.join("targets.json"), "{}").unwrap();
        assert_eq!(digest(root, &[]), seen[3]);
        assert_ne!(digest(root, &["targets.json".to_owned()]), seen[3]);
    }
}
