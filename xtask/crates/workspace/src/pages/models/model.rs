//! `/explore/data/models/{catalog}/{schema}/{model}`: a model, its versions, and a chart of a metric.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::addresses::{self, path};
use super::super::error_page::{ErrorPage, Reply};
use super::super::formatting::{metric as written, time};
use super::super::layout::{Room, crumbs, page};
use super::super::mlflow_state;
use super::chart::{Point, chart};
use super::tags;
use crate::mlflow::TASK_RUN_TAG;
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

/// `/ml/models/{name}`: a model of the workspace registry.
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
    // A search returns no aliases.
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
        @if !model.tags.is_empty() {
            dl.facts { @for (key, value) in &model.tags { dt { (key) } dd { (tags::value(value, &[])) } } }
        }
        @if listed.rows.is_empty() {
            div.empty { p { "This model has no version yet." }
                p { "Type " code { "cargo xtask test" } " in the project's folder, or run the job that trains it." } }
        } @else {
            @if let Some(chosen) = &chosen { (drawing(&name, &measured, chosen, &listed.rows)) }
            h2 #versions { "Versions" }
            (table(&name, &listed.rows, &measured, chosen.as_deref()))
            (more(&listed, query))
        }
    };
    Ok(page(app, Room::Models, &name, &content))
}

/// 404 for an unknown model; other errors stay as they are.
pub(super) fn absent(name: &str, error: crate::error::ApiError) -> ErrorPage {
    if error.status != axum::http::StatusCode::NOT_FOUND {
        return error.into();
    }
    let text = format!("The workspace has no such model: {name}. {}", error.message);
    ErrorPage::absent("Model not found", &text, ("the models", "/models"))
}

fn more(listed: &Listed<ModelVersion>, query: &ModelQuery) -> Markup {
    let metric = serde_urlencoded::to_string([("metric", &query.metric)]).unwrap_or_default();
    mlflow_state::more(&listed.next, &format!("?{metric}&"))
}

/// The source run of a version, and the runs that its tags name.
pub(super) fn runs_of(version: &ModelVersion) -> impl Iterator<Item = &str> {
    let named = version.tags.values().map(String::as_str);
    std::iter::once(version.run_id.as_str()).chain(named.filter(|value| tags::is_run_id(value)))
}

/// Metrics and job runs of the runs behind some versions, by version.
struct Measured {
    metrics: BTreeMap<i64, BTreeMap<String, f64>>,
    job_runs: BTreeMap<i64, String>,
}

impl Measured {
    async fn of(app: &App, versions: &[ModelVersion]) -> Result<Measured, ErrorPage> {
        let ids: BTreeSet<&str> = versions.iter().flat_map(runs_of).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let runs = reading::runs(app, &ids).await?;
        let run = |id: &str| runs.iter().find(|run| run.run_id == id);
        let metrics = |version: &ModelVersion| {
            let runs = runs_of(version).filter_map(run);
            (
                version.number,
                runs.flat_map(|run| run.metrics.clone()).collect(),
            )
        };
        let made_in =
            |version: &ModelVersion| Some((version.number, job_run(app, run(&version.run_id)?)?));
        Ok(Measured {
            metrics: versions.iter().map(metrics).collect(),
            job_runs: versions.iter().filter_map(made_in).collect(),
        })
    }

    /// Metric names, with the number of versions that have each.
    fn names(&self) -> BTreeMap<&str, usize> {
        let mut names = BTreeMap::new();
        for name in self.metrics.values().flat_map(BTreeMap::keys) {
            *names.entry(name.as_str()).or_insert(0) += 1;
        }
        names
    }

    /// The requested metric, or the first of those that most versions have.
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
        self.metrics.get(&version)?.get(metric).copied()
    }
}

fn drawing(name: &str, measured: &Measured, chosen: &str, newest_first: &[ModelVersion]) -> Markup {
    let point = |version: &ModelVersion| {
        let aliases = version.aliases.join(", ");
        Some(Point {
            version: version.number,
            value: measured.value(version.number, chosen)?,
            link: addresses::version(name, &version.number.to_string()),
            class: if aliases.is_empty() { "quiet" } else { "ok" },
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
    versions: &[ModelVersion],
    measured: &Measured,
    metric: Option<&str>,
) -> Markup {
    html! {
        div.wide { table.list {
            caption.unseen { "Versions, newest first" }
            thead { tr {
                th scope="col" { "Version" } th scope="col" { "Aliases" }
                @if let Some(metric) = metric { th.number scope="col" { (metric) } }
                th scope="col" { "Made" } th scope="col" { "Job run" }
            } }
            tbody { @for version in versions {
                tr {
                    th scope="row" { a href=(addresses::version(name, &version.number.to_string())) { "Version " (version.number) } }
                    td { (aliases(version)) }
                    @if let Some(metric) = metric {
                        td.number { @if let Some(value) = measured.value(version.number, metric) { (written(value)) } }
                    }
                    td.dim { @if let Some(at) = version.created_at { (time(at)) } }
                    td { @if let Some(address) = measured.job_runs.get(&version.number) { a href=(address) { "run" } } }
                }
            } }
        } }
    }
}

pub(super) fn aliases(version: &ModelVersion) -> Markup {
    let stage = Some(&version.stage).filter(|stage| !stage.is_empty());
    html! { @for alias in version.aliases.iter().chain(stage) { span.alias { (alias) } " " } }
}

/// The page of the job run that created an MLflow run.
pub(super) fn job_run(app: &App, run: &TrackedRun) -> Option<String> {
    let task_run_id = run.tags.get(TASK_RUN_TAG)?.parse().ok()?;
    let task = app.store.task_run(task_run_id).ok()??;
    let run = app.store.run(task.job_run_id).ok()??;
    let (job, run) = (run.job_id.to_string(), run.run_id.to_string());
    Some(path(&["jobs", &job, "runs", &run]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_the_metric_that_most_versions_have_is_shown() {
        let metrics = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1.0)).collect();
        let measured = |metrics| Measured {
            metrics,
            job_runs: BTreeMap::new(),
        };
        let none = measured(BTreeMap::new());
        let measured = measured(BTreeMap::from([
            (1, metrics(&["a", "b"])),
            (2, metrics(&["b", "c"])),
        ]));
        assert_eq!(measured.chosen("").as_deref(), Some("b"));
        assert_eq!(measured.chosen("c").as_deref(), Some("c"));
        assert_eq!(none.chosen("a"), None);
    }
}
