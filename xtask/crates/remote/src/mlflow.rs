//! MLflow tracking: the runs that a job's tasks made.

mod metric;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::Error;
use crate::transport::{Method, Request, Transport, field, list};

pub use metric::MetricValue;

/// Tag by which Databricks links an MLflow run to the task run that made it (it holds the id of the
/// task run, not of the job run).
pub const JOB_RUN_TAG: &str = "mlflow.databricks.jobRunID";

/// An MLflow run.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    /// Identity and state.
    pub info: RunInfo,
    /// What was logged.
    #[serde(default)]
    pub data: RunData,
}

/// Identity and state of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct RunInfo {
    /// 32 hex digits.
    pub run_id: String,
    pub experiment_id: String,
    /// A readable name.
    #[serde(default)]
    pub run_name: String,
    /// `RUNNING`, `FINISHED`, `FAILED`, `KILLED`.
    #[serde(default)]
    pub status: String,
    /// `active`, or `deleted`: then it can be restored for a while.
    #[serde(default)]
    pub lifecycle_stage: String,
    /// Start, in milliseconds since 1970; 0 where that is not told.
    #[serde(default, deserialize_with = "number_or_zero")]
    pub start_time: i64,
}

/// What was logged to a run.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RunData {
    /// Latest value of each metric.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    #[serde(default)]
    pub params: Vec<KeyValue>,
    #[serde(default)]
    pub tags: Vec<KeyValue>,
}

/// One value of one metric.
#[derive(Debug, Clone, Deserialize)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// Its value; none is told in place of NaN by some servers.
    #[serde(default = "not_a_number")]
    pub value: MetricValue,
}

/// A tag or a parameter.
#[derive(Debug, Clone, Deserialize)]
pub struct KeyValue {
    /// Its name.
    pub key: String,
    #[serde(default)]
    pub value: String,
}

impl Run {
    /// Metrics by name.
    #[must_use]
    pub fn metrics(&self) -> BTreeMap<String, MetricValue> {
        self.data
            .metrics
            .iter()
            .map(|metric| (metric.key.clone(), metric.value))
            .collect()
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.data
            .tags
            .iter()
            .find(|tag| tag.key == key)
            .map(|tag| tag.value.as_str())
    }
}

pub fn run(transport: &dyn Transport, run_id: &str) -> Result<Run, Error> {
    let request = Request::new(Method::Get, "/api/2.0/mlflow/runs/get").query("run_id", run_id);
    field(transport, &request, "run")
}

/// The runs in an experiment that a task run made, oldest first.
pub fn runs_of_task(
    transport: &dyn Transport,
    experiment_id: &str,
    task_run_id: i64,
) -> Result<Vec<Run>, Error> {
    // MLflow knows `IN` for attributes only: one search a task.
    let request = Request::new(Method::Post, "/api/2.0/mlflow/runs/search")
        .json(&json!({
            "experiment_ids": [experiment_id],
            "filter": format!("tags.`{JOB_RUN_TAG}` = '{task_run_id}'"),
            "order_by": ["attributes.start_time ASC"],
            "max_results": 100,
        }))
        .reads();
    list(transport, &request, "runs")
}

/// The newest runs in some experiments, newest first.
pub fn newest_runs(
    transport: &dyn Transport,
    experiments: &[String],
    count: u32,
) -> Result<Vec<Run>, Error> {
    let request = Request::new(Method::Post, "/api/2.0/mlflow/runs/search")
        .json(&json!({
            "experiment_ids": experiments,
            "order_by": ["attributes.start_time DESC"],
            "max_results": count,
        }))
        .reads();
    list(transport, &request, "runs")
}

/// The request for the content of a file among the artifacts that an MLflow server keeps, without a deadline.
#[must_use]
pub fn artifact(file: &str) -> Request {
    let file = crate::escape::path(file);
    let route = format!("/api/2.0/mlflow-artifacts/artifacts/{file}");
    let mut request = Request::new(Method::Get, route);
    request.deadline = None;
    request
}

/// A number of MLflow's protocol, whose 64-bit numbers some servers write as text.
pub(crate) fn number(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn not_a_number() -> MetricValue {
    MetricValue::new(f64::NAN)
}

pub(crate) fn number_or_zero<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<i64, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(number(&value).unwrap_or_default())
}
