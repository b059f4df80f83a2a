//! The bundle as the Databricks CLI reads it, without contacting a workspace: its targets and their
//! workspaces. Only the CLI interprets the files (includes, merge keys, `databricks.yaml`, a bundle without
//! targets).

mod files;
mod needs;
mod outline;
mod question;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;
use crate::context::Context;
use crate::error::Failure;
use crate::tools;
pub(crate) use files::exists;
pub(crate) use needs::ready;
pub(crate) use outline::Outline;
pub(crate) use question::{load, warnings};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetWorkspace {
    /// The local workspace of this clone with this profile.
    Local(String),
    /// A Databricks workspace, with the user's own authentication.
    Databricks {
        /// Its URL, if the bundle sets it.
        host: Option<String>,
        /// The profile of the user's configuration file, if the bundle sets one.
        profile: Option<String>,
    },
}

impl TargetWorkspace {
    /// The profile, for a local workspace.
    pub(crate) fn local(&self) -> Option<&str> {
        match self {
            TargetWorkspace::Local(profile) => Some(profile),
            TargetWorkspace::Databricks { .. } => None,
        }
    }
}

/// A target of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredTarget {
    pub(crate) name: String,
    pub(crate) workspace: TargetWorkspace,
}

/// The bundle as the CLI reports it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Bundle {
    /// Digest of the files that it was read from.
    pub(crate) digest: String,
    /// The names of the targets, in file order.
    order: Vec<String>,
    config: Root,
}

/// The part of the bundle's configuration that is read.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
struct Root {
    #[serde(default)]
    bundle: Value,
    #[serde(default)]
    variables: Value,
    #[serde(default)]
    workspace: Option<Value>,
    #[serde(default)]
    targets: BTreeMap<String, Option<OfTarget>>,
    /// The included files.
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    python: Option<Value>,
    #[serde(default)]
    experimental: Option<Experimental>,
    #[serde(default)]
    artifacts: BTreeMap<String, Value>,
}

/// A target's overrides.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
struct OfTarget {
    #[serde(default)]
    default: bool,
    #[serde(default)]
    workspace: Option<Value>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    variables: Value,
    #[serde(default)]
    artifacts: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
struct Experimental {
    #[serde(default)]
    scripts: BTreeMap<String, Value>,
    #[serde(default)]
    python: Option<Value>,
    #[serde(default)]
    pydabs: Option<Value>,
}

impl Bundle {
    /// Reads this clone's bundle with the CLI; cached until a file of the bundle changes. Runs no code of
    /// the checkout.
    pub(crate) fn read(context: &Context) -> anyhow::Result<Bundle> {
        let memory = memory(context);
        let known = fs_err::read(&memory)
            .ok()
            .and_then(|bytes| xtask_remote::json::from_slice::<Bundle>(&bytes).ok());
        let included = known.as_ref().map(|known| &*known.config.include);
        let digest = files::digest(&context.root, included.unwrap_or_default());
        if let Some(known) = known.filter(|known| known.digest == digest) {
            return Ok(known);
        }
        let Some(program) = tools::databricks_cli(context) else {
            return Failure::missing(
                "the Databricks CLI is not installed; it is needed to read the bundle",
            )
            .next("cargo xtask setup")
            .err();
        };
        let config = question::ask(context, &program)?;
        let names = config.targets.keys().cloned().collect();
        let bundle = Bundle {
            digest: files::digest(&context.root, &config.include),
            order: files::in_order(&context.root, &config.include, names),
            config,
        };
        // Best effort: without the cache the CLI is asked again.
        if let Ok(text) = serde_json::to_string(&bundle) {
            // One that cannot be written is left out.
            let _ = crate::files::replace(&memory, text.as_bytes());
        }
        Ok(bundle)
    }

    /// The targets in file order. A target with a local workspace's profile is on that workspace.
    pub(crate) fn targets(&self, config: &Config) -> Vec<DeclaredTarget> {
        let names = self.order.iter();
        names
            .map(|name| DeclaredTarget {
                name: name.clone(),
                workspace: self.workspace(config, name),
            })
            .collect()
    }

    fn workspace(&self, config: &Config, name: &str) -> TargetWorkspace {
        let own = self.config.targets.get(name).and_then(Option::as_ref);
        let own = own.and_then(|target| target.workspace.as_ref());
        let common = self.config.workspace.as_ref();
        let field = |name: &str| {
            let in_one = |workspace: &Value| {
                let text = workspace.get(name)?.as_str()?.trim();
                (!text.is_empty()).then(|| text.to_owned())
            };
            own.and_then(in_one).or_else(|| common.and_then(in_one))
        };
        let (host, profile) = (field("host"), field("profile"));
        let local = profile
            .as_deref()
            .filter(|profile| config.workspace.profiles().any(|one| one == *profile));
        match local {
            Some(local) => TargetWorkspace::Local(local.to_owned()),
            None => TargetWorkspace::Databricks { host, profile },
        }
    }

    /// Reads the bundle of another commit, from a folder below the project's.
    pub(crate) fn in_folder(
        context: &Context,
        program: &Utf8Path,
        folder: &Utf8Path,
    ) -> anyhow::Result<Bundle> {
        let config = question::ask_in(context, program, folder)?;
        Ok(Bundle {
            digest: String::new(),
            order: config.targets.keys().cloned().collect(),
            config,
        })
    }

    /// Whether the CLI runs code of the checkout while it reads the bundle: Python resources, scripts.
    pub(crate) fn runs_code(&self) -> bool {
        let experimental = self.config.experimental.as_ref();
        self.config.python.is_some()
            || experimental.is_some_and(|experimental| {
                experimental.python.is_some()
                    || experimental.pydabs.is_some()
                    || !experimental.scripts.is_empty()
            })
    }

    /// Whether the CLI can plan without running code, building artifacts or downloading Terraform.
    pub(crate) fn plans_by_itself(&self) -> bool {
        let targets = self.config.targets.values().flatten();
        let builds = !self.config.artifacts.is_empty()
            || targets.into_iter().any(|one| !one.artifacts.is_empty());
        let engine = self.config.bundle.get("engine").and_then(Value::as_str);
        !self.runs_code() && !builds && engine != Some("terraform")
    }
}

/// The targets of the bundle, in file order.
pub(crate) fn targets(context: &Context) -> anyhow::Result<Vec<DeclaredTarget>> {
    Ok(Bundle::read(context)?.targets(&context.config))
}

/// The workspace of a target.
pub(crate) fn workspace(context: &Context, name: &str) -> anyhow::Result<TargetWorkspace> {
    find(&targets(context)?, name)
}

/// The workspace of the target of that name.
pub(crate) fn find(targets: &[DeclaredTarget], name: &str) -> anyhow::Result<TargetWorkspace> {
    if let Some(target) = targets.iter().find(|target| target.name == name) {
        return Ok(target.workspace.clone());
    }
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    Failure::usage(format!("the bundle has no target \"{name}\""))
        .next(format!("choose one of: {}", names.join(", ")))
        .err()
}

fn memory(context: &Context) -> Utf8PathBuf {
    context.local().join("cache").join("bundle.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspaces(config: &str) -> Vec<(String, TargetWorkspace)> {
        let config: Root = xtask_remote::json::from_str(config).unwrap();
        let bundle = Bundle {
            digest: String::new(),
            order: config.targets.keys().cloned().collect(),
            config,
        };
        let mut config = Config::parse(include_str!("../../../../xtask.toml")).unwrap();
        config.workspace.others.push("elsewhere".to_owned());
        let targets = bundle.targets(&config).into_iter();
        targets.map(|one| (one.name, one.workspace)).collect()
    }

    fn databricks(host: Option<&str>, profile: Option<&str>) -> TargetWorkspace {
        TargetWorkspace::Databricks {
            host: host.map(str::to_owned),
            profile: profile.map(str::to_owned),
        }
    }

    #[test]
    fn a_target_is_local_by_its_profile_and_by_that_alone() {
        let found = workspaces(
            r#"{"targets": {
                "a": {"workspace": {"profile": "mlops-local"}},
                "b": {"workspace": {"profile": "elsewhere"}},
                "c": {"workspace": {"host": "https://example.cloud.databricks.com"}},
                "d": null,
                "e": {"workspace": {"profile": "${var.profile}", "host": null}}}}"#,
        );
        let local = |profile: &str| TargetWorkspace::Local(profile.to_owned());
        let workspaces: Vec<TargetWorkspace> =
            found.into_iter().map(|(_, workspace)| workspace).collect();
        assert_eq!(
            workspaces,
            [
                local("mlops-local"),
                local("elsewhere"),
                databricks(Some("https://example.cloud.databricks.com"), None),
                databricks(None, None),
                databricks(None, Some("${var.profile}")),
            ]
        );
    }

    #[test]
    fn what_all_targets_share_counts_where_one_says_nothing_else() {
        let found = workspaces(
            r#"{"workspace": {"profile": "mlops-local"},
                "targets": {"a": {}, "b": {"workspace": {"profile": "acme"}}}}"#,
        );
        assert_eq!(found[0].1, TargetWorkspace::Local("mlops-local".to_owned()));
        assert_eq!(found[1].1, databricks(None, Some("acme")));
    }

    #[test]
    fn code_of_the_checkout_is_seen_wherever_a_bundle_may_name_it() {
        let bundle = |config: &str| Bundle {
            digest: String::new(),
            order: Vec::new(),
            config: xtask_remote::json::from_str(config).unwrap(),
        };
        for config in [
            r#"{"python": {"resources": ["a:b"]}}"#,
            r#"{"experimental": {"python": {"mutators": ["a:b"]}}}"#,
            r#"{"experimental": {"pydabs": {"enabled": true}}}"#,
            r#"{"experimental": {"scripts": {"preinit": "touch x"}}}"#,
        ] {
            assert!(bundle(config).runs_code(), "{config}");
            assert!(!bundle(config).plans_by_itself(), "{config}");
        }
        for config in [
            r#"{"artifacts": {"wheel": {}}}"#,
            r#"{"targets": {"a": {"artifacts": {"wheel": {}}}}}"#,
            r#"{"bundle": {"engine": "terraform"}}"#,
        ] {
            assert!(!bundle(config).runs_code(), "{config}");
            assert!(!bundle(config).plans_by_itself(), "{config}");
        }
        assert!(bundle(r#"{"bundle": {"engine": "direct"}}"#).plans_by_itself());
    }

    #[test]
    fn an_unknown_target_is_answered_with_the_known_ones() {
        let target = |name: &str| DeclaredTarget {
            name: name.to_owned(),
            workspace: databricks(None, None),
        };
        let error = find(&[target("test"), target("prod")], "tset").unwrap_err();
        let report = crate::error::report(&error);
        assert_eq!(report.what, "the bundle has no target \"tset\"");
        assert_eq!(report.next, ["choose one of: test, prod"]);
    }
}
