//! `/explore/data/models/{catalog}/{schema}/{model}`: a model, its versions, and a metric over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::addresses::{self, path};
use super::super::layout::{Room, crumbs, page};
use super::super::mlflow_state;
use super::super::problem::{Problem, Reply};
use super::super::words::{metric as written, short_commit, time};
use super::chart::{Point, chart};
use super::tags;
use super::verdict;
use crate::mlflow::reading::{self, Listed, ModelVersion, TrackedRun};
use crate::state::App;

/// `?metric=rmse&from=…`.
#[derive(Deserialize)]
pub(in crate::pages) struct ModelQuery {
    #[serde(default)]
    metric: String,
    #[serde(default)]
    from: String,
}

pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    Path((catalog, schema, model)): Path<(String, String, String)>,
    Query(query): Query<ModelQuery>,
) -> Reply {
    let name = format!("{catalog}.{schema}.{model}").to_lowercase();
    of(&app, name, &query).await
}

/// `/ml/models/{name}`: a model of the workspace's own registry.
pub(in crate::pages) async fn show_own(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(query): Query<ModelQuery>,
) -> Reply {
    of(&app, name, &query).await
}

async fn of(app: &App, name: String, query: &ModelQuery) -> Reply {
    if let Some(not_yet) = mlflow_state::not_ready(app, Room::Models, &name) {
        return Ok(not_yet);
    }
    let (model, listed) = tokio::join!(
        reading::model(app, &name),
        reading::versions(app, &name, &query.from)
    );
    let (model, mut listed) = (model.map_err(|error| absent(&name, error))?, listed?);
    // A search does not tell them.
    for version in &mut listed.rows {
        let own = model
            .aliases
            .iter()
            .filter(|(_, number)| *number == version.number);
        version.aliases = own.map(|(alias, _)| alias.clone()).collect();
    }
    let measured = Measured::of(app, &listed.rows).await?;
    let chosen = measured.chosen(&query.metric);
    let content = html! {
        (crumbs(&[("Models", "/models")]))
        h1 { (model.name) }
        @if !model.description.is_empty() { p { (model.description) } }
        p.facts-line {
            @for (alias, number) in &model.aliases {
                a.alias href=(addresses::version(&name, &number.to_string())) { (alias) " → version " (number) } " "
            }
            a href=(addresses::in_mlflow(&["models", &name])) { "In MLflow" }
        }
        (tags::show(&model.tags))
        @if listed.rows.is_empty() {
            div.empty { p { "This model has no version yet." }
                p { "Type " code { "cargo xtask test" } " in the project's folder, or run the job that trains it." } }
        } @else {
            @if let Some(chosen) = &chosen { (drawing(&name, &measured, chosen, &listed.rows)) }
            h2 #versions { "Versions" }
            (table(&name, &app.url, &listed.rows, &measured, chosen.as_deref()))
            (more(&listed, query))
        }
    };
    Ok(page(app, Room::Models, &name, &content))
}

/// A model that MLflow does not know; other errors stay what they are.
pub(super) fn absent(name: &str, error: crate::error::ApiError) -> Problem {
    if error.status != axum::http::StatusCode::NOT_FOUND {
        return error.into();
    }
    let text = format!("The workspace has no such model: {name}. {}", error.message);
    Problem::absent("This model is not here", &text, ("the models", "/models"))
}

fn more(listed: &Listed<ModelVersion>, query: &ModelQuery) -> Markup {
    let metric = serde_urlencoded::to_string([("metric", &query.metric)]).unwrap_or_default();
    mlflow_state::more(&listed.next, &format!("?{metric}&"))
}

/// What the runs behind some versions measured: those that trained and those that judged.
struct Measured(BTreeMap<i64, BTreeMap<String, f64>>);

impl Measured {
    async fn of(app: &App, versions: &[ModelVersion]) -> Result<Measured, Problem> {
        let runs_of = |version: &ModelVersion| {
            let judged = verdict::tag(version, "mlops_validation_run_id").map(str::to_owned);
            [Some(version.run_id.clone()), judged].into_iter().flatten()
        };
        let ids: BTreeSet<String> = versions.iter().flat_map(runs_of).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let runs = reading::runs(app, &ids).await?;
        let run = |id: &str| -> Option<&TrackedRun> { runs.iter().find(|run| run.run_id == id) };
        let of_version = |version: &ModelVersion| {
            let mut metrics = BTreeMap::new();
            for id in runs_of(version) {
                metrics.extend(run(&id).into_iter().flat_map(|run| run.metrics.clone()));
            }
            (version.number, metrics)
        };
        Ok(Measured(versions.iter().map(of_version).collect()))
    }

    /// The metrics there are, and how many versions have each.
    fn names(&self) -> BTreeMap<&str, usize> {
        let mut names = BTreeMap::new();
        for name in self.0.values().flat_map(BTreeMap::keys) {
            *names.entry(name.as_str()).or_insert(0) += 1;
        }
        names
    }

    /// The metric that was asked for, or the first of those that most versions have.
    fn chosen(&self, asked: &str) -> Option<String> {
        let names = self.names();
        if names.contains_key(asked) {
            return Some(asked.to_owned());
        }
        let most = names.values().max()?;
        let first = names.iter().find(|(_, count)| *count == most)?;
        Some((*first.0).to_owned())
    }

    fn value(&self, version: i64, metric: &str) -> Option<f64> {
        self.0.get(&version)?.get(metric).copied()
    }
}

fn drawing(name: &str, measured: &Measured, chosen: &str, newest_first: &[ModelVersion]) -> Markup {
    let point = |version: &ModelVersion| {
        let aliases = version.aliases.join(", ");
        Some(Point {
            version: version.number,
            value: measured.value(version.number, chosen)?,
            link: addresses::version(name, &version.number.to_string()),
            class: verdict::of(version).class(),
            note: if aliases.is_empty() {
                aliases
            } else {
                format!(", {aliases}")
            },
        })
    };
    let points: Vec<Point> = newest_first.iter().rev().filter_map(point).collect();
    html! {
        h2 #metric { "Metric over versions" }
        form.choice method="get" action="#metric" {
            label for="which" { "Metric" }
            select #which name="metric" {
                @for metric in measured.names().keys() {
                    option value=(metric) selected[*metric == chosen] { (metric) }
                }
            }
            button.button type="submit" { "Show" }
        }
        (chart(chosen, &points))
    }
}

fn table(
    name: &str,
    here: &str,
    versions: &[ModelVersion],
    measured: &Measured,
    metric: Option<&str>,
) -> Markup {
    html! {
        div.wide { table.list {
            caption.unseen { "Versions, newest first" }
            thead { tr {
                th scope="col" { "Version" } th scope="col" { "Aliases" } th scope="col" { "Verdict" }
                @if let Some(metric) = metric { th.number scope="col" { (metric) } }
                th scope="col" { "Commit" } th scope="col" { "Made" } th scope="col" { "Job run" }
            } }
            tbody { @for version in versions {
                tr {
                    th scope="row" { a href=(addresses::version(name, &version.number.to_string())) { "Version " (version.number) } }
                    td { (aliases(version)) }
                    td { (verdict::of(version).badge()) }
                    @if let Some(metric) = metric {
                        td.number { @if let Some(value) = measured.value(version.number, metric) { (written(value)) } }
                    }
                    td { @if let Some(commit) = version.tags.get("mlops_git_commit") { code title=(commit) { (short_commit(commit)) }
                        @if let Some(edits) = version.tags.get("mlops_git_edits") { " + " (edits) } } }
                    td.dim { @if let Some(at) = version.created_at { (time(at)) } }
                    td { @if let Some(address) = job_run(version, here) { a href=(address) { "run" } } }
                }
            } }
        } }
    }
}

pub(super) fn aliases(version: &ModelVersion) -> Markup {
    let stage = Some(&version.stage).filter(|stage| !stage.is_empty());
    html! { @for alias in version.aliases.iter().chain(stage) { span.alias { (alias) } " " } }
}

/// Where a version was trained that was copied from another workspace: that one's address, and the MLflow run there.
pub(super) fn trained_elsewhere<'v>(
    version: &'v ModelVersion,
    here: &str,
) -> Option<(&'v str, &'v str)> {
    let (host, run) = version.tags.get("mlops_trained_in")?.split_once(' ')?;
    // What stands in a tag anybody may have written: nothing but an address becomes one.
    let is_address = host.starts_with("http://") || host.starts_with("https://");
    (is_address && host != here).then_some((host, run))
}

/// The page of the job run that made a version, here or in the workspace where that was.
pub(super) fn job_run(version: &ModelVersion, here: &str) -> Option<String> {
    let (job, run) = (
        version.tags.get("mlops_job_id")?,
        version.tags.get("mlops_job_run_id")?,
    );
    let is_id = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let host = trained_elsewhere(version, here).map_or("", |(host, _)| host);
    (is_id(job) && is_id(run)).then(|| format!("{host}{}", path(&["jobs", job, "runs", run])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_the_metric_that_most_versions_have_is_shown() {
        let metrics = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1.0)).collect();
        let measured = Measured(BTreeMap::from([
            (1, metrics(&["a", "b"])),
            (2, metrics(&["b", "c"])),
        ]));
        assert_eq!(measured.chosen("").as_deref(), Some("b"));
        assert_eq!(measured.chosen("c").as_deref(), Some("c"));
        assert_eq!(Measured(BTreeMap::new()).chosen("a"), None);
    }

    #[test]
    fn only_ids_become_a_link_to_a_job_run() {
        let version = |job: &str| ModelVersion {
            tags: BTreeMap::from([
                ("mlops_job_id".into(), job.into()),
                ("mlops_job_run_id".into(), "2".into()),
            ]),
            ..ModelVersion::default()
        };
        let here = "http://127.0.0.1:1";
        let address = |version| job_run(&version, here);
        assert_eq!(address(version("1")).as_deref(), Some("/jobs/1/runs/2"));
        assert_eq!(address(version("javascript:x")), None);
        // A copy leads to where its original was made.
        let brought = |from: &str| {
            let mut version = version("1");
            let tag = format!("{from} 5f");
            version.tags.insert("mlops_trained_in".into(), tag);
            address(version).unwrap_or_default()
        };
        assert_eq!(
            brought("https://a.example"),
            "https://a.example/jobs/1/runs/2"
        );
        for nowhere_else in [here, "javascript:alert(1)//"] {
            assert_eq!(brought(nowhere_else), "/jobs/1/runs/2");
        }
    }
}
