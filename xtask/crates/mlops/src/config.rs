//! xtask.toml: what the tool needs to know about a project besides its bundle.
//!
//! All names of jobs, tasks, models and targets come from here and the bundle, never from code.
//! docs/configuration.md explains each field.

mod figures;
mod workspace;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Deserialize;
use xtask_remote::databricks::registry::RegistryKind;

use crate::error::Failure;
pub(crate) use figures::{Figure, Unit};
pub(crate) use workspace::Workspace;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The version of this format; 1.
    pub version: u32,
    /// The bundle's jobs by role.
    pub jobs: Jobs,
    /// The registered model.
    pub model: Model,
    /// What `cargo xtask test` runs.
    pub test: Test,
    /// Data sets: their generator and volume.
    pub data: Data,
    /// The local workspaces.
    #[serde(default)]
    pub workspace: Workspace,
    /// Pull requests.
    #[serde(default)]
    pub github: GitHub,
    /// The bundle's targets: their branches, checks and promotions.
    #[serde(default)]
    pub targets: BTreeMap<String, TargetSettings>,
    /// The project's own benchmarks; `cargo xtask bench` shows them with its own.
    #[serde(default)]
    pub bench: Vec<Figure>,
}

/// The bundle's jobs by role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jobs {
    /// Key of the training job in `resources.jobs`.
    pub train: String,
    /// Key of that job's validation task.
    pub validation_task: String,
    /// Key of the batch inference job.
    pub inference: String,
}

/// The registered model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// Its key in `resources.registered_models`, or in `resources.models` for the workspace registry.
    pub resource: String,
    /// `python -m MODULE --model DIR` tries a version before it becomes champion; a built-in way when left out.
    #[serde(default)]
    pub smoke: Option<String>,
    #[serde(default)]
    pub registry: RegistryKind,
    /// The metrics that `test` prints; all by default.
    #[serde(default)]
    pub metrics: Vec<String>,
}

/// What `cargo xtask test` runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Test {
    /// Folders that pytest runs.
    pub unit: Vec<String>,
    /// Folders whose line coverage is checked against `tool.coverage.report.fail_under` of pyproject.toml.
    /// Needs pytest-cov.
    #[serde(default)]
    pub coverage: Vec<String>,
    /// Folders of tests that need Spark: `ci` runs them with the extra `spark` of pyproject.toml.
    #[serde(default)]
    pub spark: Vec<String>,
    pub integration_target: String,
}

/// Data sets: their generator and volume.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Data {
    /// `python -m MODULE make --out DIR` writes the data sets.
    pub module: String,
    /// The folder that the module is imported from.
    pub source: String,
    /// Key of their volume in `resources.volumes`.
    pub volume: String,
}

/// Pull requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GitHub {
    /// The host of a GitHub Enterprise Server; github.com and ghe.com need no entry.
    pub host: Option<String>,
    /// The repository for pull requests, `owner/name`; by default from git's remotes.
    pub repository: Option<String>,
    /// The base branch; by default the repository's default branch.
    pub base: Option<String>,
    /// Reviewers to request: users, and teams as `org/team`.
    pub reviewers: Vec<String>,
    /// Labels for each pull request.
    pub labels: Vec<String>,
    /// False alarms of the secret search, by the digest that `open-pr` prints.
    pub allowed_secrets: Vec<String>,
    /// How many approvals of the newest commit `merge` requires.
    pub approvals: usize,
    /// File file name in .github/workflows of the workflow that deploys models.
    pub deploy_model_workflow: Option<String>,
}

impl Default for GitHub {
    fn default() -> GitHub {
        GitHub {
            host: None,
            repository: None,
            base: None,
            reviewers: Vec::new(),
            labels: Vec::new(),
            allowed_secrets: Vec::new(),
            approvals: 1,
            deploy_model_workflow: None,
        }
    }
}

/// A target of the bundle.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetSettings {
    /// The branch that is deployed to it.
    pub branch: Option<String>,
    /// The next target of a promotion.
    pub promotes_to: Option<String>,
    /// Checks required before merging into its branch, besides those of the repository's rules.
    pub checks: Vec<String>,
    /// The workflow file in `.github/workflows` that deploys it; by default `deploy-TARGET.yml`.
    pub workflow: Option<String>,
}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Utf8Path) -> anyhow::Result<Config> {
        let text = fs_err::read_to_string(path)?;
        Config::parse(&text).map_err(|error| {
            Failure::usage(format!("{path} is not valid"))
                .details(error)
                .next("see docs/configuration.md")
                .into()
        })
    }

    /// Parses and checks the file; the error says what is wrong and where.
    pub(crate) fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        if config.version != 1 {
            return Err(format!(
                "version = {}: this xtask supports version 1",
                config.version
            ));
        }
        if let Some(name) = &config.github.repository
            && xtask_remote::github::repositories::Name::parse(name).is_none()
        {
            return Err(format!("github.repository = {name:?}: expected owner/name"));
        }
        if let Some(file) = &config.github.deploy_model_workflow
            && (file.is_empty() || file.contains('/'))
        {
            return Err(format!(
                "github.deploy-model-workflow = {file:?}: expected a file name in .github/workflows"
            ));
        }
        for (name, target) in &config.targets {
            if let Some(next) = &target.promotes_to
                && !config.targets.contains_key(next)
            {
                return Err(format!(
                    "targets.{name}.promotes-to = {next:?}: no [targets.{next}] in xtask.toml"
                ));
            }
        }
        if let Some(module) = &config.model.smoke
            && !is_module(module)
        {
            return Err(format!(
                "model.smoke = {module:?}: expected a Python module, such as \"loyalty.smoke\""
            ));
        }
        config.workspace.check()?;
        for figure in &config.bench {
            figure.check()?;
        }
        Ok(config)
    }

    /// Whether a branch deploys a target that another one promotes to.
    pub(crate) fn is_promoted_to(&self, branch: &str) -> bool {
        let Some((name, _)) = self.target_of(branch) else {
            return false;
        };
        let mut targets = self.targets.values();
        targets.any(|target| target.promotes_to.as_deref() == Some(name))
    }

    /// The workflow file that deploys a target.
    pub(crate) fn workflow_of(&self, target: &str) -> String {
        let named = self.targets.get(target);
        named
            .and_then(|target| target.workflow.clone())
            .unwrap_or_else(|| format!("deploy-{target}.yml"))
    }

    /// The target that deploys from a branch.
    pub(crate) fn target_of(&self, branch: &str) -> Option<(&str, &TargetSettings)> {
        self.targets
            .iter()
            .find(|(_, target)| target.branch.as_deref() == Some(branch))
            .map(|(name, target)| (name.as_str(), target))
    }
}

/// Whether it is a dotted Python module name.
fn is_module(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../../../xtask.toml");

    #[test]
    fn the_projects_own_file_is_read() {
        let config = Config::parse(OURS).unwrap();
        assert_eq!(config.test.integration_target, "test");
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = Config::parse(&format!("{OURS}\nbranhc = \"x\"\n")).unwrap_err();
        assert!(error.contains("branhc"), "{error}");
    }

    #[test]
    fn targets_lead_to_targets_that_are_there() {
        let config = Config::parse(OURS).unwrap();
        assert_eq!(config.target_of("main").unwrap().0, "staging");
        let error =
            Config::parse(&OURS.replace("promotes-to = \"prod\"", "promotes-to = \"pord\""))
                .unwrap_err();
        assert!(error.contains("no [targets.pord] in xtask.toml"), "{error}");
        let error =
            Config::parse(&OURS.replace("[github]", "[github]\nrepository = \"x\"")).unwrap_err();
        assert!(error.contains("owner/name"), "{error}");
        let path = "[github]\ndeploy-model-workflow = \".github/workflows/x.yml\"";
        let ours = OURS.replace("deploy-model-workflow", "# ");
        let error = Config::parse(&ours.replace("[github]", path)).unwrap_err();
        assert!(error.contains("file name in .github/workflows"), "{error}");
    }

    #[test]
    fn what_tries_a_version_is_a_module() {
        let with = |module: &str| OURS.replace("\"mlops_stacks.smoke\"", &format!("{module:?}"));
        let config = Config::parse(&with("loyalty.smoke_2")).unwrap();
        assert_eq!(config.model.smoke.as_deref(), Some("loyalty.smoke_2"));
        for hostile in ["", "-c", "a..b", "../a", "a b", "a;b", "2a", ".a"] {
            let error = Config::parse(&with(hostile)).unwrap_err();
            assert!(error.contains("expected a Python module"), "{error}");
        }
    }

    #[test]
    fn the_registry_is_unity_catalog_unless_it_is_said() {
        assert_eq!(
            Config::parse(OURS).unwrap().model.registry,
            RegistryKind::UnityCatalog
        );
        let own = OURS.replace("[model]", "[model]\nregistry = \"workspace\"");
        assert_eq!(
            Config::parse(&own).unwrap().model.registry,
            RegistryKind::Workspace
        );
        let error = Config::parse(&own.replace("\"workspace\"", "\"mlflow\"")).unwrap_err();
        assert!(error.contains("unity-catalog"), "{error}");
    }

    #[test]
    fn another_version_is_refused() {
        let error = Config::parse(&OURS.replace("version = 1", "version = 2")).unwrap_err();
        assert!(error.contains("supports version 1"), "{error}");
    }
}
