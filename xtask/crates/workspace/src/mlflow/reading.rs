//! Typed reads of MLflow for the pages, one page of a list at a time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client;
use super::unity_catalog::{Version, canonical_name, visible_tags};
use crate::error::ApiError;
use crate::state::App;

const ROWS: u32 = 50;

/// One page of a list, with the token of the next.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    pub rows: Vec<T>,
    pub next: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub name: String,
    pub description: String,
    /// Alias and version.
    pub aliases: Vec<(String, i64)>,
    pub newest_version: Option<i64>,
    /// Milliseconds.
    pub changed_at: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(crate) struct ModelVersion {
    pub name: String,
    pub number: i64,
    pub status: String,
    pub description: String,
    pub aliases: Vec<String>,
    /// In a registry with stages; else empty.
    pub stage: String,
    /// The source run; empty if there is none.
    pub run_id: String,
    /// Milliseconds.
    pub created_at: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(crate) struct TrackedRun {
    pub run_id: String,
    pub experiment_id: String,
    pub name: String,
    pub user: String,
    pub metrics: BTreeMap<String, f64>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Experiment {
    pub experiment_id: String,
    pub name: String,
    /// Milliseconds.
    pub changed_at: Option<i64>,
}

/// Sorted by name.
pub(crate) async fn models(
    app: &App,
    contains: &str,
    page: &str,
) -> Result<Listed<Model>, ApiError> {
    let filter = format!("name ILIKE '%{}%'", quoted(contains));
    let query =
        json!({"filter": filter, "max_results": ROWS, "page_token": page, "order_by": "name ASC"});
    let reply = client::get(app, "registered-models/search", &query).await?;
    Ok(listed(&reply, "registered_models", read_model))
}

pub(crate) async fn model(app: &App, name: &str) -> Result<Model, ApiError> {
    let query = json!({"name": known_name(name)});
    let reply = client::get(app, "registered-models/get", &query).await?;
    Ok(read_model(&reply["registered_model"]))
}

/// Unity Catalog's names are in lower case.
fn known_name(name: &str) -> String {
    canonical_name(name).unwrap_or_else(|_| name.to_owned())
}

/// Newest first.
pub(crate) async fn versions(
    app: &App,
    name: &str,
    page: &str,
) -> Result<Listed<ModelVersion>, ApiError> {
    let filter = format!("name='{}'", quoted(name));
    let query = json!({
        "filter": filter, "max_results": ROWS, "page_token": page, "order_by": "version_number DESC",
    });
    let reply = client::get(app, "model-versions/search", &query).await?;
    Ok(listed(&reply, "model_versions", read_version))
}

pub(crate) async fn version(app: &App, name: &str, number: i64) -> Result<ModelVersion, ApiError> {
    let query = json!({"name": canonical_name(name)?, "version": number});
    let reply = client::get(app, "model-versions/get", &query).await?;
    Ok(read_version(&reply["model_version"]))
}

/// The versions with one of these source runs.
pub(crate) async fn versions_of_runs(
    app: &App,
    run_ids: &[&str],
) -> Result<Vec<ModelVersion>, ApiError> {
    let Some(ids) = id_list(run_ids) else {
        return Ok(Vec::new());
    };
    let query = json!({"filter": format!("run_id IN ({ids})"), "max_results": 200});
    let reply = client::get(app, "model-versions/search", &query).await?;
    Ok(listed(&reply, "model_versions", read_version).rows)
}

/// Deleted runs are left out.
pub(crate) async fn runs(app: &App, run_ids: &[&str]) -> Result<Vec<TrackedRun>, ApiError> {
    let Some(ids) = id_list(run_ids) else {
        return Ok(Vec::new());
    };
    // A search needs experiment ids, and the runs of a model may be in any experiment.
    let known = client::get(app, "experiments/search", &json!({"max_results": 1000})).await?;
    let experiments: Vec<&Value> = list(&known["experiments"])
        .map(|experiment| &experiment["experiment_id"])
        .collect();
    let query = json!({
        "experiment_ids": experiments, "max_results": run_ids.len(),
        "filter": format!("attributes.run_id IN ({ids})"),
    });
    let reply = client::post(app, "runs/search", &query).await?;
    Ok(listed(&reply, "runs", read_run).rows)
}

/// Last changed first.
pub(crate) async fn experiments(app: &App, page: &str) -> Result<Listed<Experiment>, ApiError> {
    let query =
        json!({"max_results": ROWS, "page_token": page, "order_by": "last_update_time DESC"});
    let reply = client::get(app, "experiments/search", &query).await?;
    Ok(listed(&reply, "experiments", |experiment| Experiment {
        experiment_id: text(&experiment["experiment_id"]),
        name: text(&experiment["name"]),
        changed_at: number(&experiment["last_update_time"]),
    }))
}

fn listed<T>(reply: &Value, field: &str, read: impl Fn(&Value) -> T) -> Listed<T> {
    let next = text(&reply["next_page_token"]);
    Listed {
        rows: list(&reply[field]).map(read).collect(),
        next: (!next.is_empty()).then_some(next),
    }
}

fn read_model(model: &Value) -> Model {
    let versions = list(&model["latest_versions"]);
    Model {
        name: text(&model["name"]),
        description: text(&model["description"]),
        aliases: list(&model["aliases"])
            .filter_map(|alias| Some((text(&alias["alias"]), number(&alias["version"])?)))
            .collect(),
        newest_version: versions
            .filter_map(|version| number(&version["version"]))
            .max(),
        changed_at: number(&model["last_updated_timestamp"]),
        tags: pairs(visible_tags(&model["tags"]).iter()),
    }
}

fn read_version(inner: &Value) -> ModelVersion {
    let version = Version::new(inner);
    let tags = visible_tags(&inner["tags"]);
    ModelVersion {
        name: version.name().to_owned(),
        number: version.number(),
        status: version.status().to_owned(),
        description: text(&version.field("description")),
        aliases: version.aliases().iter().map(text).collect(),
        stage: match text(&inner["current_stage"]) {
            none if none == "None" => String::new(),
            stage => stage,
        },
        run_id: text(&version.field("run_id")),
        created_at: number(&inner["creation_timestamp"]),
        tags: pairs(tags.iter()),
    }
}

fn read_run(run: &Value) -> TrackedRun {
    let (info, data) = (&run["info"], &run["data"]);
    let metrics = list(&data["metrics"])
        .filter_map(|metric| Some((text(&metric["key"]), measured(&metric["value"])?)));
    let tags = pairs(list(&data["tags"]));
    TrackedRun {
        run_id: text(&info["run_id"]),
        experiment_id: text(&info["experiment_id"]),
        name: text(&info["run_name"]),
        user: tags
            .get("mlflow.user")
            .cloned()
            .unwrap_or_else(|| text(&info["user_id"])),
        metrics: metrics.collect(),
        tags,
    }
}

fn pairs<'v>(entries: impl Iterator<Item = &'v Value>) -> BTreeMap<String, String> {
    entries
        .map(|entry| (text(&entry["key"]), text(&entry["value"])))
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The value of a metric: a number, or a string where JSON has no number for it. MLflow's database stores infinity as
/// the largest number.
fn measured(value: &Value) -> Option<f64> {
    let read = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Some(match read.abs() >= f64::MAX {
        true => f64::INFINITY.copysign(read),
        false => read,
    })
}

/// MLflow writes some numbers as strings.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// For a filter, in which quotes cannot be escaped.
fn quoted(text: &str) -> String {
    text.replace(['\'', '%', '\\'], "")
}

/// `'a','b'` for a filter; `None` without ids.
fn id_list(ids: &[&str]) -> Option<String> {
    let ids: Vec<String> = ids
        .iter()
        .filter(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric()))
        .map(|id| format!("'{id}'"))
        .collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_holds_nothing_but_ids() {
        assert_eq!(id_list(&["ab1", "x' OR '1", ""]).as_deref(), Some("'ab1'"));
        assert_eq!(id_list(&[]), None);
        assert_eq!(quoted("a'%_b"), "a_b");
    }

    #[test]
    fn a_run_is_read_with_its_numbers() {
        let run = read_run(
            &json!({"info": {"run_id": "r", "experiment_id": "1", "run_name": "n"},
            "data": {"metrics": [{"key": "m", "value": 0.5}, {"key": "none"}, {"key": "nan", "value": "NaN"},
                {"key": "low", "value": "-Infinity"}, {"key": "high", "value": f64::MAX}], "tags": [{"key": "mlflow.user", "value": "u"}]}}),
        );
        assert_eq!(
            (run.metrics["m"], run.metrics.len(), run.user.as_str()),
            (0.5, 4, "u")
        );
        assert!(run.metrics["nan"].is_nan());
        assert_eq!(
            (run.metrics["low"], run.metrics["high"]),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
    }

    #[test]
    fn a_model_is_read_with_its_aliases() {
        let model = read_model(
            &json!({"name": "a.b.c", "aliases": [{"alias": "champion", "version": "3"}],
            "latest_versions": [{"version": "4"}, {"version": "10"}]}),
        );
        assert_eq!(
            (model.aliases, model.newest_version),
            (vec![("champion".to_owned(), 3)], Some(10))
        );
    }
}
