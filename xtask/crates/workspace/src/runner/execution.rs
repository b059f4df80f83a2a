//! Executes a run from its first task to its last.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::graph::{self, Decision, End};
use super::interruption::{asked, until};
use super::kernel::{Kernels, imports_file};
use super::queue;
use super::task::Task;
use crate::error::ApiError;
use crate::jobs::Kind;
use crate::state::App;
use crate::store::{LifeCycle, ResultState, Run, RunFilter, RunState, StoreError, TaskRun};

/// Returns at once.
pub(super) fn start(app: Arc<App>, run_id: i64) {
    let cancelled = app.runner.begins(run_id);
    tokio::spawn(async move {
        execute(&app, run_id, cancelled).await;
        app.runner.has_ended(run_id);
        app.activity.touch();
    });
}

/// When it returns, all processes of the run are gone and its token is void.
async fn execute(app: &Arc<App>, run_id: i64, cancelled: watch::Receiver<bool>) {
    let state = match run_to_end(app, run_id, cancelled).await {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(run_id, %error, "executing a run failed");
            RunState::broken(error.to_string())
        }
    };
    if let Err(error) = end_children(app, run_id).await {
        tracing::error!(run_id, %error, "cannot end the runs that a run started");
    }
    let ended = app
        .store
        .end_run_tokens(run_id)
        .and_then(|()| app.store.set_run_state(run_id, &state));
    if let Err(error) = ended {
        tracing::error!(run_id, %error, "cannot close a run");
    }
}

/// Ends the runs that this run's code started and left behind.
async fn end_children(app: &Arc<App>, run_id: i64) -> Result<(), ApiError> {
    let children = app.store.runs(&RunFilter {
        parent_run_id: Some(run_id),
        active: Some(true),
        limit: u32::MAX,
        ..RunFilter::default()
    })?;
    for child in &children {
        queue::cancel(app, child)?;
    }
    for child in children {
        queue::wait_for_end(app, child.run_id).await?;
    }
    Ok(())
}

async fn run_to_end(
    app: &Arc<App>,
    run_id: i64,
    cancelled: watch::Receiver<bool>,
) -> Result<RunState, StoreError> {
    let Some(run) = app.store.run(run_id)? else {
        return Ok(RunState::broken("the run was deleted"));
    };
    let mut execution = Execution::new(app.clone(), Arc::new(run), cancelled)?;
    let state = execution.all_tasks().await?;
    execution.kernels.close().await;
    Ok(state)
}

struct Execution {
    app: Arc<App>,
    run: Arc<Run>,
    kernels: Arc<Kernels>,
    cancelled: watch::Receiver<bool>,
    /// The newest attempt of each task, in the job's order.
    tasks: Vec<TaskRun>,
    ends: BTreeMap<String, End>,
    running: JoinSet<(String, RunState)>,
    started: Vec<String>,
}

impl Execution {
    fn new(
        app: Arc<App>,
        run: Arc<Run>,
        cancelled: watch::Receiver<bool>,
    ) -> Result<Execution, StoreError> {
        let token = app.store.mint_run_token(run.run_id, &run.run_as)?;
        // A repaired run continues with the newest attempts.
        let tasks = newest_attempts(app.store.task_runs(run.run_id)?);
        let ends = tasks
            .iter()
            .filter_map(|task| Some((task.task_key.clone(), End::of(task)?)))
            .collect();
        Ok(Execution {
            kernels: Arc::new(Kernels::new(app.clone(), token)),
            app,
            run,
            cancelled,
            tasks,
            ends,
            running: JoinSet::new(),
            started: Vec::new(),
        })
    }

    async fn all_tasks(&mut self) -> Result<RunState, StoreError> {
        self.app
            .store
            .set_run_state(self.run.run_id, &RunState::active(LifeCycle::Running))?;
        let limit = self.run.settings.timeout();
        let deadline = limit.map(|limit| Instant::now() + limit);
        let mut cancelled = self.cancelled.clone();
        loop {
            if *cancelled.borrow() {
                return self.stop(ResultState::Canceled, "Run canceled.").await;
            }
            self.start_what_can()?;
            tokio::select! {
                joined = self.running.join_next() => match joined {
                    Some(joined) => self.ended(joined)?,
                    None => return Ok(graph::verdict(&self.tasks)),
                },
                () = asked(&mut cancelled) => {}
                () = until(deadline) => return self.stop(ResultState::TimedOut, "Run timed out.").await,
            }
        }
    }

    /// Starts every task that is ready, and settles those that will not run.
    fn start_what_can(&mut self) -> Result<(), StoreError> {
        let mut settled = true;
        while settled {
            settled = false;
            for index in 0..self.tasks.len() {
                let task = self.tasks[index].clone();
                let key = &task.task_key;
                if self.ends.contains_key(key) || self.started.contains(key) {
                    continue;
                }
                match graph::decide(&task.settings, &self.ends) {
                    Decision::Wait => {}
                    Decision::Run => self.start(task),
                    Decision::Skip(state) => {
                        self.settle(&task, &state)?;
                        settled = true;
                    }
                }
            }
        }
        self.warm_up_for_next();
        Ok(())
    }

    fn start(&mut self, task_run: TaskRun) {
        let key = task_run.task_key.clone();
        self.started.push(key.clone());
        let task = Task {
            app: self.app.clone(),
            kernels: self.kernels.clone(),
            run: self.run.clone(),
            task_run,
            cancelled: self.cancelled.clone(),
        };
        self.running
            .spawn(async move { (key, task.with_retries().await.1) });
    }

    /// Meanwhile, the process for the next task imports its libraries.
    fn warm_up_for_next(&self) {
        let next = self.tasks.iter().find(|task| {
            let waits =
                !self.ends.contains_key(&task.task_key) && !self.started.contains(&task.task_key);
            waits && task.settings.kind().is_some_and(Kind::is_process)
        });
        if let Some(task) = next {
            self.kernels
                .prepare(&imports_file(&self.app, task.settings.code_path()));
        }
    }

    fn ended(
        &mut self,
        joined: Result<(String, RunState), tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let (key, state) = match joined {
            Ok(ended) => ended,
            Err(error) => {
                // Only a bug gets here. The run must not wait for that task for ever.
                tracing::error!(%error, "executing a task failed");
                let lost = self
                    .started
                    .iter()
                    .find(|key| !self.ends.contains_key(*key))
                    .cloned();
                let message = "the workspace failed to run this task; see its log (server.log)";
                (lost.unwrap_or_default(), RunState::broken(message))
            }
        };
        // A retry adds an attempt.
        self.tasks = newest_attempts(self.app.store.task_runs(self.run.run_id)?);
        match self.tasks.iter().find(|task| task.task_key == key).cloned() {
            Some(task) => self.settle(&task, &state),
            None => Ok(()),
        }
    }

    fn settle(&mut self, task: &TaskRun, state: &RunState) -> Result<(), StoreError> {
        self.app.store.set_task_state(task.run_id, state)?;
        let mut settled = task.clone();
        settled.state = state.clone();
        let end = End::of(&settled).unwrap_or(End::Failed);
        self.ends.insert(settled.task_key.clone(), end);
        for known in self
            .tasks
            .iter_mut()
            .filter(|known| known.run_id == task.run_id)
        {
            *known = settled.clone();
        }
        Ok(())
    }

    /// Ends running tasks, and those that have not begun.
    async fn stop(&mut self, result: ResultState, message: &str) -> Result<RunState, StoreError> {
        self.app
            .store
            .set_run_state(self.run.run_id, &RunState::active(LifeCycle::Terminating))?;
        // A cancelled run's tasks end by themselves; after a timeout of the run they are asked to here.
        self.app.runner.cancel(self.run.run_id);
        while let Some(joined) = self.running.join_next().await {
            self.ended(joined)?;
        }
        self.close_waiting(result, message)?;
        Ok(RunState::terminated(result, message))
    }

    fn close_waiting(&mut self, result: ResultState, message: &str) -> Result<(), StoreError> {
        for task in self.tasks.clone() {
            if !self.ends.contains_key(&task.task_key) {
                self.settle(&task, &RunState::terminated(result, message))?;
            }
        }
        Ok(())
    }
}

/// Attempts of one task follow one another.
fn newest_attempts(tasks: Vec<TaskRun>) -> Vec<TaskRun> {
    let mut newest: Vec<TaskRun> = Vec::new();
    for task in tasks {
        match newest.last_mut() {
            Some(last) if last.task_key == task.task_key => *last = task,
            _ => newest.push(task),
        }
    }
    newest
}
