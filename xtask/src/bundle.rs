//! databricks.yml, read just far enough to know where each target lives.
//!
//! Everything else about the bundle is asked of the Databricks CLI. This one question comes before:
//! the CLI needs a workspace that answers, and a target on the local workspace must have it started.

use camino::Utf8Path;
use yaml_rust2::{Yaml, YamlLoader};

use crate::config::Config;
use crate::error::{Failure, Kind};

/// Where a target of the bundle lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the local workspace of this clone that has this profile.
    Local(String),
    /// On a Databricks workspace, reached with the user's own authentication.
    Databricks {
        /// Its address, where the bundle says it.
        host: Option<String>,
        /// The profile of the user's configuration file, where the bundle names one.
        profile: Option<String>,
    },
}

impl Place {
    /// The profile of the local workspace that it is.
    pub(crate) fn local(&self) -> Option<&str> {
        match self {
            Place::Local(profile) => Some(profile),
            Place::Databricks { .. } => None,
        }
    }
}

/// A target of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: String,
    /// Where it lives.
    pub(crate) place: Place,
}

/// The targets of the bundle, in the order of the file. One lives on a local workspace when it
/// names that one's profile.
///
/// # Errors
/// [`Kind::Usage`] when databricks.yml cannot be read.
pub(crate) fn targets(root: &Utf8Path, config: &Config) -> anyhow::Result<Vec<Target>> {
    let path = root.join("databricks.yml");
    let text = fs_err::read_to_string(&path)?;
    let documents = YamlLoader::load_from_str(&text)
        .map_err(|error| Failure::new(Kind::Usage, format!("{path} is not valid YAML: {error}")))?;
    let bundle = documents.first().unwrap_or(&Yaml::BadValue);
    let common = &bundle["workspace"];
    let named = bundle["targets"].as_hash().into_iter().flatten();
    Ok(named
        .filter_map(|(name, target)| {
            let own = &target["workspace"];
            let field = |name: &str| own[name].as_str().or_else(|| common[name].as_str());
            let (host, profile) = (field("host"), field("profile"));
            let local = config
                .workspace
                .profiles()
                .find(|one| profile == Some(*one));
            Some(Target {
                name: name.as_str()?.to_owned(),
                place: match local {
                    Some(local) => Place::Local(local.to_owned()),
                    None => Place::Databricks {
                        host: host.map(str::to_owned),
                        profile: profile.map(str::to_owned),
                    },
                },
            })
        })
        .collect())
}

/// Where a target lives.
///
/// # Errors
/// [`Kind::Usage`] when databricks.yml cannot be read or does not know the target.
pub(crate) fn place(root: &Utf8Path, config: &Config, name: &str) -> anyhow::Result<Place> {
    let targets = targets(root, config)?;
    if let Some(target) = targets.iter().find(|target| target.name == name) {
        return Ok(target.place.clone());
    }
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    Failure::new(Kind::Usage, format!("the bundle has no target \"{name}\""))
        .next(format!("take one of: {}", names.join(", ")))
        .err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(yaml: &str, target: &str) -> anyhow::Result<Place> {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::write(root.join("databricks.yml"), yaml).unwrap();
        let mut config = Config::parse(include_str!("../../xtask.toml")).unwrap();
        config.workspace.others.push("elsewhere".to_owned());
        place(root, &config, target)
    }

    #[test]
    fn a_target_is_local_by_its_profile_and_by_that_alone() {
        let yaml = "
targets:
  test: {workspace: {profile: mlops-local}}
  staging: {workspace: {profile: elsewhere}}
  prod: {workspace: {host: https://example.cloud.databricks.com}}
";
        let local = |profile: &str| Place::Local(profile.to_owned());
        assert_eq!(place_of(yaml, "test").unwrap(), local("mlops-local"));
        assert_eq!(place_of(yaml, "staging").unwrap(), local("elsewhere"));
        let host = Some("https://example.cloud.databricks.com".to_owned());
        let prod = Place::Databricks {
            host,
            profile: None,
        };
        assert_eq!(place_of(yaml, "prod").unwrap(), prod);
    }

    #[test]
    fn an_unknown_target_is_answered_with_the_known_ones() {
        let error = place_of("targets: {test: {}, prod: {}}", "tset").unwrap_err();
        let report = crate::error::report(&error);
        assert_eq!(report.what, "the bundle has no target \"tset\"");
        assert_eq!(report.next, ["take one of: test, prod"]);
    }
}
