//! `for_each_task`: runs a task once for each input, some of them at a time.

use std::pin::Pin;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::retries::Retries;
use super::work::{Ending, Task, TaskError};
use crate::runner::graph::Node;
use crate::runner::interruption::{asked, until};
use crate::runner::references;
use crate::store::ResultState;

/// Most inputs, as on Databricks.
const MOST_INPUTS: usize = 5000;

pub(super) async fn run(task: &Task) -> Result<Ending, TaskError> {
    let deadline = task.deadline();
    let inputs = inputs(task)?;
    task.begin(&json!({"inputs": Value::from(inputs.clone()).to_string()}))?;
    // Iterations end when the whole run is cancelled, and when the loop takes too long.
    let (stop, stopped) = watch::channel(false);
    let mut work = Loop::new(task, inputs, stopped);
    let mut cancelled = task.cancelled.clone();
    let early = tokio::select! {
        () = work.all() => None,
        () = until(deadline) => Some(Ending::Timeout),
        () = asked(&mut cancelled) => Some(Ending::Cancelled),
    };
    if let Some(early) = early {
        stop.send_replace(true);
        work.rest().await;
        return Ok(early);
    }
    match work.failed {
        0 => Ok(Ending::Success),
        failed => {
            let total = work.total;
            task.fail_with(format!("{failed} of {total} iterations failed"))?;
            Ok(Ending::Failed)
        }
    }
}

/// The inputs: a JSON list, after references were filled in.
fn inputs(task: &Task) -> Result<Vec<Value>, TaskError> {
    let template = task.task_run.settings["for_each_task"]["inputs"]
        .as_str()
        .unwrap_or_default();
    let text = task.resolve(|context| references::fill(template, context))?;
    let refuse =
        |why: String| TaskError::Declared(format!("task '{}': {why}", task.task_run.task_key));
    match serde_json::from_str(&text) {
        Ok(Value::Array(inputs)) if inputs.len() <= MOST_INPUTS => Ok(inputs),
        Ok(Value::Array(inputs)) => Err(refuse(format!(
            "{} inputs are more than {MOST_INPUTS}",
            inputs.len()
        ))),
        _ => Err(refuse(format!(
            "the inputs must be a JSON list such as [1, 2]; they are {text}"
        ))),
    }
}

struct Loop<'t> {
    task: &'t Task,
    inner: Value,
    node: Node,
    at_once: usize,
    waiting: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    total: usize,
    failed: usize,
    running: JoinSet<bool>,
    stopped: watch::Receiver<bool>,
}

impl<'t> Loop<'t> {
    fn new(task: &'t Task, inputs: Vec<Value>, stopped: watch::Receiver<bool>) -> Loop<'t> {
        let declared = &task.task_run.settings["for_each_task"];
        let at_once = declared["concurrency"].as_u64().unwrap_or(1).max(1);
        Loop {
            task,
            inner: declared["task"].clone(),
            node: Node::of(&declared["task"]),
            at_once: usize::try_from(at_once).unwrap_or(usize::MAX),
            total: inputs.len(),
            waiting: inputs.into_iter().enumerate(),
            failed: 0,
            running: JoinSet::new(),
            stopped,
        }
    }

    /// Runs all iterations; one that fails does not keep the others from running.
    async fn all(&mut self) {
        loop {
            while self.running.len() < self.at_once
                && let Some((index, input)) = self.waiting.next()
            {
                if let Err(error) = self.start(index, &input) {
                    tracing::error!(index, %error, "cannot begin an iteration");
                    self.failed += 1;
                }
            }
            match self.running.join_next().await {
                Some(Ok(true)) => {}
                Some(_) => self.failed += 1,
                None => return,
            }
        }
    }

    /// Waits for those that run.
    async fn rest(&mut self) {
        while self.running.join_next().await.is_some() {}
    }

    fn start(&mut self, index: usize, input: &Value) -> Result<(), TaskError> {
        let task = self.task;
        let store = &task.app.store;
        let added = store.add_iteration(&task.task_run, index, &self.inner, input)?;
        let task_run = added.ok_or_else(|| TaskError::Declared("its row is gone".to_owned()))?;
        self.running.spawn(iterate(
            Task {
                task_run,
                timeout: self.node.timeout,
                cancelled: self.stopped.clone(),
                ..task.clone()
            },
            Retries::of(&self.node),
        ));
        Ok(())
    }
}

/// Runs one iteration and says whether it succeeded. (Boxed: a task that repeats tasks is itself one.)
fn iterate(task: Task, retries: Retries) -> Pin<Box<dyn Future<Output = bool> + Send>> {
    Box::pin(async move {
        let app = task.app.clone();
        let (last, state) = task.with_retries(&retries).await;
        if let Err(error) = app.store.set_task_state(last.run_id, &state) {
            tracing::error!(%error, "cannot close an iteration");
        }
        state.result == Some(ResultState::Success)
    })
}
