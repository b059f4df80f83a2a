//! The settings of a task.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny};
use serde_json::{Map, Value};

use super::Declared;

/// Why a pipeline is not run.
pub(crate) const NO_PIPELINES: &str = "the local workspace keeps pipelines as records and does not run them: run it on \
     a Databricks workspace";

/// What the workspace reads in the settings of a task. One of the fields that end in `_task` says what it runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Task {
    pub task_key: String,
    pub depends_on: Vec<Need>,
    pub run_if: RunIf,
    /// Retries after a failure; below 0 without limit.
    pub max_retries: i64,
    pub retry_on_timeout: bool,
    pub environment_key: Option<String>,
    pub libraries: Vec<Library>,
    pub notebook_task: Option<Notebook>,
    pub spark_python_task: Option<PythonFile>,
    pub python_wheel_task: Option<PythonWheel>,
    pub condition_task: Option<Condition>,
    pub run_job_task: Option<RunJob>,
    pub for_each_task: Option<ForEach>,
    pub pipeline_task: Option<Pipeline>,
    timeout_seconds: u64,
    min_retry_interval_millis: u64,
    existing_cluster_id: Option<IgnoredAny>,
    new_cluster: Option<IgnoredAny>,
    job_cluster_key: Option<IgnoredAny>,
}

/// A task that another one waits for.
#[derive(Debug, Clone, Deserialize)]
pub struct Need {
    pub task_key: String,
    /// `true` or `false`, where it is a condition.
    pub outcome: Option<String>,
}

/// When a task runs, given how those before it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunIf {
    #[default]
    AllSuccess,
    AllDone,
    NoneFailed,
    AtLeastOneSuccess,
    AllFailed,
    AtLeastOneFailed,
}

/// A notebook of the workspace tree.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Notebook {
    #[serde(deserialize_with = "filled")]
    pub notebook_path: String,
    #[serde(default)]
    pub base_parameters: Map<String, Value>,
    #[serde(default)]
    pub source: String,
}

/// A Python file of the workspace tree or of a volume.
#[derive(Debug, Clone, Deserialize)]
pub struct PythonFile {
    #[serde(deserialize_with = "filled")]
    pub python_file: String,
    #[serde(default)]
    pub parameters: Vec<String>,
    #[serde(default)]
    pub source: String,
}

/// An entry point of an installed package.
#[derive(Debug, Clone, Deserialize)]
pub struct PythonWheel {
    #[serde(deserialize_with = "filled")]
    pub package_name: String,
    #[serde(deserialize_with = "filled")]
    pub entry_point: String,
    #[serde(default)]
    pub parameters: Vec<String>,
    #[serde(default)]
    pub named_parameters: Map<String, Value>,
}

/// Compares two values; tasks after it depend on its outcome.
#[derive(Debug, Clone, Deserialize)]
pub struct Condition {
    #[serde(deserialize_with = "filled")]
    pub left: String,
    #[serde(deserialize_with = "filled")]
    pub right: String,
    pub op: Operator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operator {
    EqualTo,
    NotEqual,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
}

/// Runs another job and waits for it.
#[derive(Debug, Clone, Deserialize)]
pub struct RunJob {
    pub job_id: i64,
    #[serde(default)]
    pub job_parameters: Map<String, Value>,
    #[serde(default)]
    pub notebook_params: Map<String, Value>,
}

/// Runs a task once for each input.
#[derive(Debug, Clone, Deserialize)]
pub struct ForEach {
    #[serde(deserialize_with = "filled")]
    pub inputs: String,
    #[serde(default = "one")]
    pub concurrency: usize,
    pub task: Box<Declared<Task>>,
}

fn one() -> usize {
    1
}

/// Updates a pipeline: kept, and not run here.
#[derive(Debug, Clone, Deserialize)]
pub struct Pipeline {
    #[serde(rename = "pipeline_id", deserialize_with = "filled")]
    _pipeline_id: String,
}

/// What a task wants installed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Library {
    pub whl: Option<String>,
    pub requirements: Option<String>,
    pub pypi: Option<PyPi>,
    /// Libraries that are not for Python: `jar`, `maven`, `cran`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PyPi {
    pub package: String,
    pub repo: Option<String>,
}

fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.is_empty() {
        true => Err(D::Error::custom("must not be empty")),
        false => Ok(text),
    }
}

/// What a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Notebook,
    PythonFile,
    PythonWheel,
    Condition,
    RunJob,
    ForEach,
    Pipeline,
}

impl Kind {
    pub(super) const ALL: [Kind; 7] = [
        Kind::Notebook,
        Kind::PythonFile,
        Kind::PythonWheel,
        Kind::Condition,
        Kind::RunJob,
        Kind::ForEach,
        Kind::Pipeline,
    ];

    /// Whether tasks of this kind run in a Python process.
    pub(crate) fn is_process(self) -> bool {
        matches!(self, Kind::Notebook | Kind::PythonFile | Kind::PythonWheel)
    }

    /// The field that declares it.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Kind::Notebook => "notebook_task",
            Kind::PythonFile => "spark_python_task",
            Kind::PythonWheel => "python_wheel_task",
            Kind::Condition => "condition_task",
            Kind::RunJob => "run_job_task",
            Kind::ForEach => "for_each_task",
            Kind::Pipeline => "pipeline_task",
        }
    }
}

impl Task {
    /// `None` for a kind that does not run here.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.kinds().next()
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let declared = [
            self.notebook_task.is_some(),
            self.spark_python_task.is_some(),
            self.python_wheel_task.is_some(),
            self.condition_task.is_some(),
            self.run_job_task.is_some(),
            self.for_each_task.is_some(),
            self.pipeline_task.is_some(),
        ];
        let kinds = Kind::ALL.into_iter().zip(declared);
        kinds.filter_map(|(kind, declared)| declared.then_some(kind))
    }

    /// The keys of the tasks that it waits for.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        self.depends_on.iter().map(|need| need.task_key.as_str())
    }

    /// The declared path of its code: a notebook, a file, or the name of a package; empty where it runs none.
    pub(crate) fn code_path(&self) -> &str {
        let notebook = self.notebook_task.as_ref().map(|task| &task.notebook_path);
        let file = self
            .spark_python_task
            .as_ref()
            .map(|task| &task.python_file);
        let wheel = self
            .python_wheel_task
            .as_ref()
            .map(|task| &task.package_name);
        notebook.or(file).or(wheel).map_or("", String::as_str)
    }

    pub(crate) fn notebook_path(&self) -> &str {
        let notebook = self.notebook_task.as_ref();
        notebook.map_or("", |notebook| &notebook.notebook_path)
    }

    /// How long an attempt may take.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        (self.timeout_seconds > 0).then(|| Duration::from_secs(self.timeout_seconds))
    }

    /// The pause before the next attempt.
    pub(crate) fn retry_pause(&self) -> Duration {
        Duration::from_millis(self.min_retry_interval_millis)
    }

    pub(crate) fn names_a_cluster(&self) -> bool {
        let clusters = [
            &self.existing_cluster_id,
            &self.new_cluster,
            &self.job_cluster_key,
        ];
        clusters.into_iter().any(Option::is_some)
    }
}
