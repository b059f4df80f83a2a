//! Everything that a run's page shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::cells::Notebook;
use super::super::error_page::ErrorPage;
use super::super::jobs::Deployment;
use super::super::task::Shown;
use crate::error::ApiError;
use crate::mlflow::{self, reading, reading::TrackedRun};
use crate::runner::outcome;
use crate::state::App;
use crate::store::{Repair, Run, TaskRun};

const MOST_ITERATIONS: usize = 100;

/// Tasks are in the order of their start.
pub(super) struct Loaded {
    pub run: Run,
    pub tasks: Vec<Shown>,
    /// Number of iterations that are not included.
    pub left_out: usize,
    pub lives: Vec<Repair>,
    pub deployment: Option<Deployment>,
    /// MLflow runs of its tasks.
    pub tracked: Vec<TrackedRun>,
    /// Whether MLflow is starting and has runs to show.
    pub waits_for_mlflow: bool,
}

impl Loaded {
    /// The last attempt of each task, in the order of their start.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Shown> {
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for shown in self
            .tasks
            .iter()
            .filter(|shown| shown.task.loop_run_id.is_none())
        {
            let attempt = last.entry(&shown.task.task_key).or_default();
            *attempt = (*attempt).max(shown.task.attempt_number);
        }
        self.tasks.iter().filter(move |shown| {
            shown.task.loop_run_id.is_none()
                && last.get(shown.task.task_key.as_str()) == Some(&shown.task.attempt_number)
        })
    }
}

pub(super) async fn load(app: &Arc<App>, run: Run) -> Result<Loaded, ErrorPage> {
    let (task_runs, left_out) = with_iterations(app, run.run_id)?;
    let mut tasks = Vec::new();
    for task in task_runs {
        let events = app.task_run_dir(task.run_id).join("events.jsonl");
        // Files may be large, and must not block other requests.
        let notebook = tokio::task::spawn_blocking(move || Notebook::of(outcome::events(&events)))
            .await
            .map_err(|error| ApiError::internal("cannot read the run's events", &error))?;
        let started = match task.started_run_id {
            Some(run_id) => app.store.run(run_id)?,
            None => None,
        };
        tasks.push(Shown {
            task,
            notebook,
            models: Vec::new(),
            started,
        });
    }
    let tracked = add_records(app, &mut tasks).await;
    let any_tracked = tasks
        .iter()
        .any(|shown| !shown.notebook.mlflow_runs.is_empty());
    Ok(Loaded {
        lives: app.store.repairs(run.run_id)?,
        deployment: Deployment::of(app, run.job_id, &run.settings),
        run,
        tasks,
        left_out,
        waits_for_mlflow: any_tracked && mlflow::status(app).state == "starting",
        tracked,
    })
}

/// Tasks in the order of their start, each followed by its iterations; and the number of iterations left out.
fn with_iterations(app: &App, run_id: i64) -> Result<(Vec<TaskRun>, usize), ErrorPage> {
    let (mut tasks, mut left_out) = (Vec::new(), 0);
    let mut task_runs = app.store.task_runs(run_id)?;
    task_runs.sort_by_key(|task| task.start_time.unwrap_or(i64::MAX));
    for task in task_runs {
        let task_run_id = task.run_id;
        tasks.push(task);
        let iterations = app.store.iterations(task_run_id)?;
        left_out += iterations.len().saturating_sub(MOST_ITERATIONS);
        tasks.extend(iterations.into_iter().take(MOST_ITERATIONS));
    }
    Ok((tasks, left_out))
}

/// Adds the model versions of the tasks' MLflow runs, and answers those runs. While MLflow does not answer, the page is
/// shown without them.
async fn add_records(app: &App, tasks: &mut [Shown]) -> Vec<TrackedRun> {
    let ids: BTreeSet<String> = tasks
        .iter()
        .flat_map(|shown| {
            shown
                .notebook
                .mlflow_runs
                .iter()
                .map(|(_, run)| run.clone())
        })
        .collect();
    if ids.is_empty() || mlflow::status(app).state != "ready" {
        return Vec::new();
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (versions, runs) = tokio::join!(
        reading::versions_of_runs(app, &ids),
        reading::runs(app, &ids)
    );
    let versions = versions.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot look up the model versions of a run");
        Vec::new()
    });
    for shown in tasks.iter_mut() {
        let made = |run: &str| {
            shown
                .notebook
                .mlflow_runs
                .iter()
                .any(|(_, made)| made == run)
        };
        let own = versions.iter().filter(|version| made(&version.run_id));
        shown.models = own
            .map(|version| (version.name.clone(), version.number.to_string()))
            .collect();
    }
    let mut runs = runs.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot look up the MLflow runs of a run");
        Vec::new()
    });
    // In the order of the tasks.
    let made = tasks.iter().flat_map(|shown| &shown.notebook.mlflow_runs);
    let order: Vec<String> = made.map(|(_, run)| run.clone()).collect();
    runs.sort_by_key(|run| order.iter().position(|id| *id == run.run_id));
    runs
}
