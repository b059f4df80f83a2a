//! xtask.toml: what the tool must know about a project that its bundle does not say.
//!
//! All names of jobs, tasks, models and targets come from here and from the bundle, never from our
//! code. The page docs/configuration.md explains each field.

mod figures;
mod workspace;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Deserialize;
use xtask_remote::databricks::registry::Registry;

use crate::error::{Failure, Kind};
pub(crate) use figures::{ProjectFigure, Unit};
pub(crate) use workspace::Workspace;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The version of this format; 1.
    pub version: u32,
    /// The bundle's jobs by what they do.
    pub jobs: Jobs,
    /// The registered model.
    pub model: Model,
    /// What `cargo xtask test` runs.
    pub test: Test,
    /// Where data sets come from and go to.
    pub data: Data,
    /// The local workspaces.
    #[serde(default)]
    pub workspace: Workspace,
    /// Pull requests.
    #[serde(default)]
    pub github: GitHub,
    /// What feeds the bundle's targets, by their names.
    #[serde(default)]
    pub targets: BTreeMap<String, Target>,
    /// Figures that only the project itself can measure; `cargo xtask bench` shows them beside its own.
    #[serde(default)]
    pub bench: Vec<ProjectFigure>,
}

/// The bundle's jobs by what they do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jobs {
    /// Key of the job that trains, below `resources.jobs`.
    pub train: String,
    /// Key of that job's task which accepts or rejects a model.
    pub validation_task: String,
    /// Key of the job that scores with the champion.
    pub inference: String,
}

/// The registered model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// Its key below `resources.registered_models`, or `resources.models` in the workspace's registry.
    pub resource: String,
    /// `python -m MODULE --model DIR` tries a version before it becomes champion; a built-in way when left out.
    #[serde(default)]
    pub smoke: Option<String>,
    /// The registry that it is in.
    #[serde(default)]
    pub registry: Registry,
    /// The metrics that `test` prints; all of them when left out.
    #[serde(default)]
    pub metrics: Vec<String>,
}

/// What `cargo xtask test` runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Test {
    /// Folders that pytest runs.
    pub unit: Vec<String>,
    /// Folders of code whose lines the unit tests must run; `tool.coverage.report.fail_under` of pyproject.toml says how
    /// many of a hundred. Needs pytest-cov.
    #[serde(default)]
    pub coverage: Vec<String>,
    /// Folders of tests that need Spark: `ci` runs them with the extra `spark` of pyproject.toml.
    #[serde(default)]
    pub spark: Vec<String>,
    /// The target that the integration test deploys to.
    pub integration_target: String,
}

/// Where data sets come from and go to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Data {
    /// `python -m MODULE make --out DIR` writes the data sets.
    pub module: String,
    /// The folder that the module is imported from.
    pub source: String,
    /// Key of the volume that they are uploaded to, below `resources.volumes`.
    pub volume: String,
}

/// Pull requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GitHub {
    /// A GitHub Enterprise Server by its host; github.com and ghe.com are known.
    pub host: Option<String>,
    /// The repository that pull requests go to, as `owner/name`; found from git's remotes when left out.
    pub repository: Option<String>,
    /// The branch that they go to; the repository's default branch when left out.
    pub base: Option<String>,
    /// Who is asked for a review: users, and teams as `org/team`.
    pub reviewers: Vec<String>,
    /// Labels that each one gets.
    pub labels: Vec<String>,
    /// Lines that look like secrets and are none, each by the digest that `open-pr` names.
    pub allowed_secrets: Vec<String>,
    /// How many people must have approved the newest commit before `merge` merges.
    pub approvals: usize,
    /// File below .github/workflows of the workflow that deploys models.
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

/// What feeds a target of the bundle.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Target {
    /// The branch whose pushes are deployed to it.
    pub branch: Option<String>,
    /// The target that it is promoted to.
    pub promotes_to: Option<String>,
    /// Checks that must pass before a pull request into its branch is merged, besides those that the
    /// repository's own rules require.
    pub checks: Vec<String>,
    /// The file in `.github/workflows` that deploys its branch; `deploy-TARGET.yml` when left out.
    pub workflow: Option<String>,
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`Kind::Usage`] with line and column when a field is unknown, missing or of the wrong type.
    pub(crate) fn read(path: &Utf8Path) -> anyhow::Result<Config> {
        let text = fs_err::read_to_string(path)?;
        Config::parse(&text).map_err(|error| {
            Failure::new(Kind::Usage, format!("{path} is not what xtask expects"))
                .details(error)
                .next("compare it with docs/configuration.md")
                .into()
        })
    }

    /// Checks the text of the file; the error says what is wrong and where.
    ///
    /// # Errors
    /// When a field is unknown, missing, of the wrong type, or names what is not there.
    pub(crate) fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        if config.version != 1 {
            return Err(format!(
                "version = {}: this xtask reads version 1",
                config.version
            ));
        }
        if let Some(name) = &config.github.repository
            && xtask_remote::github::repositories::Name::parse(name).is_none()
        {
            return Err(format!("github.repository = {name:?}: it is owner/name"));
        }
        if let Some(file) = &config.github.deploy_model_workflow
            && (file.is_empty() || file.contains('/'))
        {
            return Err(format!(
                "github.deploy-model-workflow = {file:?}: it is a file's name below .github/workflows"
            ));
        }
        for (name, target) in &config.targets {
            if let Some(next) = &target.promotes_to
                && !config.targets.contains_key(next)
            {
                return Err(format!(
                    "targets.{name}.promotes-to = {next:?}: there is no [targets.{next}]"
                ));
            }
        }
        if let Some(module) = &config.model.smoke
            && !is_module(module)
        {
            return Err(format!(
                "model.smoke = {module:?}: it is a Python module, such as \"loyalty.smoke\""
            ));
        }
        config.workspace.check()?;
        for figure in &config.bench {
            figure.check()?;
        }
        Ok(config)
    }

    /// Whether a branch feeds a target that another one promotes to.
    pub(crate) fn is_promoted_to(&self, branch: &str) -> bool {
        let Some((name, _)) = self.target_of(branch) else {
            return false;
        };
        let mut targets = self.targets.values();
        targets.any(|target| target.promotes_to.as_deref() == Some(name))
    }

    /// The file of the workflow that deploys a target's branch.
    pub(crate) fn workflow_of(&self, target: &str) -> String {
        let named = self.targets.get(target);
        named
            .and_then(|target| target.workflow.clone())
            .unwrap_or_else(|| format!("deploy-{target}.yml"))
    }

    /// The target that a branch feeds.
    pub(crate) fn target_of(&self, branch: &str) -> Option<(&str, &Target)> {
        self.targets
            .iter()
            .find(|(_, target)| target.branch.as_deref() == Some(branch))
            .map(|(name, target)| (name.as_str(), target))
    }
}

/// Whether `python -m` can take it: names of Python, with points between.
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
        assert!(error.contains("there is no [targets.pord]"), "{error}");
        let error =
            Config::parse(&OURS.replace("[github]", "[github]\nrepository = \"x\"")).unwrap_err();
        assert!(error.contains("owner/name"), "{error}");
        let path = "[github]\ndeploy-model-workflow = \".github/workflows/x.yml\"";
        let ours = OURS.replace("deploy-model-workflow", "# ");
        let error = Config::parse(&ours.replace("[github]", path)).unwrap_err();
        assert!(error.contains("below .github/workflows"), "{error}");
    }

    #[test]
    fn what_tries_a_version_is_a_module() {
        let with = |module: &str| OURS.replace("\"mlops_stacks.smoke\"", &format!("{module:?}"));
        let config = Config::parse(&with("loyalty.smoke_2")).unwrap();
        assert_eq!(config.model.smoke.as_deref(), Some("loyalty.smoke_2"));
        for hostile in ["", "-c", "a..b", "../a", "a b", "a;b", "2a", ".a"] {
            let error = Config::parse(&with(hostile)).unwrap_err();
            assert!(error.contains("it is a Python module"), "{error}");
        }
    }

    #[test]
    fn the_registry_is_unity_catalog_unless_it_is_said() {
        assert_eq!(
            Config::parse(OURS).unwrap().model.registry,
            Registry::UnityCatalog
        );
        let own = OURS.replace("[model]", "[model]\nregistry = \"workspace\"");
        assert_eq!(
            Config::parse(&own).unwrap().model.registry,
            Registry::Workspace
        );
        let error = Config::parse(&own.replace("\"workspace\"", "\"mlflow\"")).unwrap_err();
        assert!(error.contains("unity-catalog"), "{error}");
    }

    #[test]
    fn another_version_is_refused() {
        let error = Config::parse(&OURS.replace("version = 1", "version = 2")).unwrap_err();
        assert!(error.contains("reads version 1"), "{error}");
    }
}
