//! What a new project is called and where it lives: as given by options and files, and as decided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModelKind {
    /// A number.
    Regression,
    /// One of two classes.
    Classification,
}

impl ModelKind {
    /// The word for it, and the folder of its template.
    pub(super) fn name(self) -> &'static str {
        match self {
            ModelKind::Regression => "regression",
            ModelKind::Classification => "classification",
        }
    }
}

/// A sample to begin with, in place of neutral data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sample {
    /// New York taxi fares, a regression.
    Taxi,
}

/// Every answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Answers {
    /// The project and its bundle.
    pub(super) name: String,
    /// The Python package.
    pub(super) package: String,
    pub(super) kind: ModelKind,
    pub(super) spark: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<Sample>,
    /// The address of the remote `origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) github: Option<String>,
    pub(super) targets: BTreeMap<String, Target>,
}

/// A target of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Target {
    pub(super) catalog: String,
    pub(super) schema: String,
    /// `local`, or the address of a workspace.
    pub(super) workspace: String,
    /// The branch that is deployed to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
}

/// Answers that options and a file gave; the others are asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Given {
    pub(super) name: Option<String>,
    pub(super) package: Option<String>,
    pub(super) kind: Option<ModelKind>,
    pub(super) spark: Option<bool>,
    pub(super) example: Option<Sample>,
    pub(super) github: Option<String>,
    pub(super) targets: BTreeMap<String, GivenTarget>,
}

/// What was given of a target.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GivenTarget {
    pub(super) catalog: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) branch: Option<String>,
}

impl Given {
    /// Reads an answers file, or the record that `init` wrote into another project.
    pub(super) fn parse(text: &str) -> Result<Given, toml::de::Error> {
        let mut file: toml::Table = toml::from_str(text)?;
        let answers = match file.remove("answers") {
            Some(answers) => answers,
            None => file.into(),
        };
        answers.try_into()
    }
}

impl Answers {
    /// The name as Python's packages are called.
    pub(super) fn dashed(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The branch that is developed on: of the first target that a branch is deployed to, before promotions.
    pub(super) fn main_branch(&self) -> Option<&String> {
        let staged = |name: &str| {
            self.targets
                .get(name)
                .and_then(|target| target.branch.as_ref())
        };
        staged("staging").or_else(|| {
            self.targets
                .values()
                .find_map(|target| target.branch.as_ref())
        })
    }
}
