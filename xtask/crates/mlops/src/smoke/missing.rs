//! The remedy for a missing Python module: which package provides it, and where to add it.

use camino::Utf8Path;

use crate::ui::safe_line;

/// Modules whose package has a different name.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("PIL", "pillow"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("yaml", "pyyaml"),
];

/// The remedy for a missing module; `None` if none is missing.
///
/// `version` is the folder of the version's files, which lists the packages that it needs. `source` is the deployed code.
pub(super) fn hint(said: &str, version: &Utf8Path, source: &Utf8Path) -> Option<String> {
    let (_, rest) = said.rsplit_once("No module named ")?;
    let quote = rest.chars().next()?;
    let module = rest.get(1..)?.split(quote).next()?;
    let top = safe_line(module.split('.').next()?);
    if top.is_empty() || source.join(&top).exists() {
        return None;
    }
    let listed = fs_err::read_to_string(version.join("requirements.txt")).unwrap_or_default();
    Some(match requirement(&listed, &top) {
        Some(package) => format!(
            "uv add '{package}'   # the model needs it; add it to `environments` of the bundle's jobs, too"
        ),
        None => format!(
            "add the package that provides `{top}` to `dependencies` in pyproject.toml, run `uv lock`, and add it to \
             `environments` of the bundle's jobs"
        ),
    })
}

/// The version's requirement that provides a module. Unlisted ones are not guessed: a package of that name
/// may be malicious.
fn requirement(listed: &str, module: &str) -> Option<String> {
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == module);
    let wanted = normal(other.map_or(module, |(_, package)| package));
    let mut lines = listed.lines().map(str::trim);
    let line = lines.find(|line| {
        let end = line
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'))
            .unwrap_or(line.len());
        normal(&line[..end]) == wanted
    })?;
    let plain = line
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.[],=<>!~ ".contains(c));
    plain.then(|| line.to_owned())
}

/// A normalised package name.
fn normal(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_package_is_named_as_the_version_lists_it() {
        let folder = tempfile::tempdir().unwrap();
        let version = Utf8Path::from_path(folder.path()).unwrap();
        let listed =
            "mlflow-skinny==3.1\nscikit-learn==1.9.1\nXGBoost_GPU>=2 ; x\nxgboost[a]==2.1\n";
        fs_err::write(version.join("requirements.txt"), listed).unwrap();
        fs_err::create_dir(version.join("ours")).unwrap();
        let hint = |module: &str| {
            let said = format!("error: ModuleNotFoundError: No module named '{module}' (in x)");
            hint(&said, version, version)
        };
        let said = |module: &str| hint(module).unwrap();
        assert!(said("xgboost").starts_with("uv add 'xgboost[a]==2.1' "));
        assert!(said("sklearn.linear_model").starts_with("uv add 'scikit-learn==1.9.1' "));
        assert!(said("corrections").contains("provides `corrections` to `dependencies`"));
        assert!(said("xgboost_gpu").contains("provides"), "no shell's words");
        assert_eq!(hint("ours.absent"), None);
        assert_eq!(super::hint("KeyError: 'calls'", version, version), None);
    }
}
