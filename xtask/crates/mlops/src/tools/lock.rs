//! tools.lock: minimum versions, and pinned versions with their digests.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;
use serde::Deserialize;

use crate::error::Failure;

/// The embedded copy.
const EMBEDDED: &str = include_str!("../../tools/tools.lock");

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ToolsLock {
    version: u32,
    /// The Python interpreter.
    pub(crate) python: Floor,
    /// uv, which creates the Python environment.
    pub(crate) uv: Wheels,
    /// The Databricks CLI, which deploys the bundle.
    pub(crate) databricks_cli: Archives,
    /// Go, which builds the Databricks CLI and act.
    pub(crate) go: Wheels,
    /// act, which runs GitHub workflows locally.
    pub(crate) act: Built,
    /// Kingfisher, which looks for secrets; older files of a project may lack it.
    pub(crate) kingfisher: Option<Wheels>,
    /// Delta Lake, the table format of Spark; older files of a project may lack it.
    pub(crate) delta: Option<Jars>,
}

/// A tool that is only looked up, never installed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    pub(crate) minimum: Version,
}

/// A tool that is built from its Go module, whose go.sum holds the digests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Built {
    pub(crate) minimum: Version,
    /// The pinned version.
    pub(crate) version: Version,
}

/// A tool that comes from PyPI.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wheels {
    pub(crate) minimum: Version,
    /// The pinned version.
    pub(crate) version: Version,
    /// SHA-256 in hex, by a name for the platform.
    pub(crate) wheels: BTreeMap<String, String>,
}

/// Jars of one release that come from Maven Central.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jars {
    /// The pinned version.
    pub(crate) version: Version,
    /// The matching Spark version, to its minor version.
    pub(crate) spark: Version,
    /// SHA-256 in hex, by the artifact's name.
    pub(crate) jars: BTreeMap<String, String>,
}

/// A tool that comes as a release archive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archives {
    pub(crate) minimum: Version,
    /// The pinned version.
    pub(crate) version: Version,
    /// SHA-256 in hex, by `<os>_<arch>` as Go names them.
    pub(crate) archives: BTreeMap<String, String>,
}

impl ToolsLock {
    /// Reads the project's file, or the embedded copy.
    pub(crate) fn read(root: &Utf8Path) -> anyhow::Result<ToolsLock> {
        let path = root.join("tools.lock");
        let text = match fs_err::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => EMBEDDED.to_owned(),
            text => text?,
        };
        ToolsLock::parse(&text).map_err(|error| {
            Failure::usage(format!("{path} is not valid"))
                .details(error)
                .next("restore the file: `git checkout -- tools.lock`")
                .into()
        })
    }

    fn parse(text: &str) -> Result<ToolsLock, String> {
        let lock: ToolsLock = toml::from_str(text).map_err(|error| error.to_string())?;
        if lock.version != 1 {
            return Err(format!(
                "version = {}: this xtask supports version 1",
                lock.version
            ));
        }
        let digests = [
            &lock.uv.wheels,
            &lock.go.wheels,
            &lock.databricks_cli.archives,
        ];
        let kingfisher = lock.kingfisher.iter().map(|pinned| &pinned.wheels);
        let delta = lock.delta.iter().map(|pinned| &pinned.jars);
        for (name, digest) in digests.into_iter().chain(kingfisher).chain(delta).flatten() {
            if digest.len() != 64 || !digest.chars().all(|c| c.is_ascii_hexdigit()) {
                return Err(format!(
                    "{name} = \"{digest}\" is not a SHA-256 digest in hex"
                ));
            }
        }
        Ok(lock)
    }
}

/// A released version; anything after the third number (`rc1`, `+build`) is ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Version([u64; 3]);

impl Version {
    /// The first version in a text such as `Databricks CLI v1.10.0` or `go version go1.26.8 …`:
    /// at least two numbers with a dot between them.
    pub(crate) fn find(text: &str) -> Option<Version> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter(|word| word.contains('.'))
            .find_map(Version::parse)
    }

    /// The name of Python's folders: `3.11`.
    pub(crate) fn minor(self) -> String {
        let [major, minor, _] = self.0;
        format!("{major}.{minor}")
    }

    fn parse(text: &str) -> Option<Version> {
        let mut numbers = text.split('.').map(str::parse::<u64>);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next()?.ok()?;
        let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Version([major, minor, patch]))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Version, String> {
        Version::parse(&text).ok_or_else(|| format!("\"{text}\" is not a version"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_say() {
        let find = |text| Version::find(text).map(|version| version.to_string());
        assert_eq!(find("Databricks CLI v1.10.0"), Some("1.10.0".to_owned()));
        assert_eq!(
            find("go version go1.26.8 linux/amd64"),
            Some("1.26.8".to_owned())
        );
        assert_eq!(
            find("uv 0.13.9 (x86_64-unknown-linux-gnu)"),
            Some("0.13.9".to_owned())
        );
        assert_eq!(find("Python 3.13.0rc1"), Some("3.13.0".to_owned()));
        assert_eq!(find("go version devel +abc linux"), None);
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::find("1.9.9") < Version::find("1.10.0"));
        assert!(Version::find("0.299.0") < Version::find("1.10"));
    }

    #[test]
    fn the_embedded_lock_pins_what_the_go_mods_pin() {
        let lock = ToolsLock::parse(EMBEDDED).unwrap();
        let pinned = format!("github.com/databricks/cli v{}", lock.databricks_cli.version);
        let go_mod = include_str!("../../tools/databricks-cli/go.mod");
        assert!(go_mod.contains(&pinned), "{pinned}");
        let act = format!("github.com/nektos/act v{} ", lock.act.version);
        assert!(
            include_str!("../../tools/act/go.mod").contains(&act),
            "{act}"
        );
        assert!(lock.go.version >= lock.go.minimum);
        assert!(go_mod.contains(&format!("go {}", lock.go.minimum)));
    }

    #[test]
    fn delta_fits_the_pyspark_of_the_project() {
        let delta = ToolsLock::parse(EMBEDDED).unwrap().delta.unwrap();
        let spark = delta.spark.minor();
        let project = include_str!("../../../../../pyproject.toml");
        for pin in [
            format!("\"delta-spark=={}\"", delta.version),
            format!("\"pyspark[connect]=={spark}."),
        ] {
            assert!(project.contains(&pin), "{pin}");
        }
        let scala = format!("delta-spark_{spark}_");
        assert!(delta.jars.keys().any(|jar| jar.starts_with(&scala)));
    }

    #[test]
    fn a_digest_that_is_none_is_refused_by_name() {
        let digest = "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19";
        let error = ToolsLock::parse(&EMBEDDED.replace(digest, "latest")).unwrap_err();
        assert!(error.contains("linux-x86_64"), "{error}");
    }
}
