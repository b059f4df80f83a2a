//! `for_each_task`: runs a task once for each input, several at a time.

use std::pin::Pin;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::work::{Ending, Task, TaskError};
use crate::jobs::ForEach;
use crate::runner::interruption::{asked, until};
use crate::runner::references;
use crate::store::ResultState;

/// Databricks' limit.
const MOST_INPUTS: usize = 5000;

pub(super) async fn run(task: &Task, declared: &ForEach) -> Result<Ending, TaskError> {
    let deadline = task.deadline();
    let inputs = inputs(task, &declared.inputs)?;
    task.begin(&json!({"inputs": Value::from(inputs.clone()).to_string()}))?;
    // Iterations end when the run is cancelled, and when the loop times out.
    let (stop, stopped) = watch::channel(false);
    let mut work = Loop::new(task, declared, inputs, stopped);
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

/// A JSON list, after references were resolved.
fn inputs(task: &Task, template: &str) -> Result<Vec<Value>, TaskError> {
    let text = task.resolve(|context| references::fill(template, context))?;
    let refuse =
        |why: String| TaskError::Declared(format!("task '{}': {why}", task.task_run.task_key));
    match serde_json::from_str(&text) {
        Ok(Value::Array(inputs)) if inputs.len() <= MOST_INPUTS => Ok(inputs),
        Ok(Value::Array(inputs)) => Err(refuse(format!(
            "{} inputs exceed the limit of {MOST_INPUTS}",
            inputs.len()
        ))),
        _ => Err(refuse(format!(
            "the inputs must be a JSON list such as [1, 2]; they are {text}"
        ))),
    }
}

struct Loop<'t> {
    task: &'t Task,
    declared: &'t ForEach,
    waiting: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    total: usize,
    failed: usize,
    running: JoinSet<bool>,
    stopped: watch::Receiver<bool>,
}

impl<'t> Loop<'t> {
    fn new(
        task: &'t Task,
        declared: &'t ForEach,
        inputs: Vec<Value>,
        stopped: watch::Receiver<bool>,
    ) -> Loop<'t> {
        Loop {
            task,
            declared,
            total: inputs.len(),
            waiting: inputs.into_iter().enumerate(),
            failed: 0,
            running: JoinSet::new(),
            stopped,
        }
    }

    /// A failed iteration does not stop the others.
    async fn all(&mut self) {
        loop {
            while self.running.len() < self.declared.concurrency.max(1)
                && let Some((index, input)) = self.waiting.next()
            {
                if let Err(error) = self.start(index, &input) {
                    tracing::error!(index, %error, "cannot start an iteration");
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

    async fn rest(&mut self) {
        while self.running.join_next().await.is_some() {}
    }

    fn start(&mut self, index: usize, input: &Value) -> Result<(), TaskError> {
        let task = self.task;
        let store = &task.app.store;
        let added = store.add_iteration(&task.task_run, index, &self.declared.task, input)?;
        let task_run = added.ok_or_else(|| TaskError::Declared("its row is gone".to_owned()))?;
        self.running.spawn(iterate(Task {
            task_run,
            cancelled: self.stopped.clone(),
            ..task.clone()
        }));
        Ok(())
    }
}

/// Answers whether it succeeded. (Boxed, because iterations are tasks themselves.)
fn iterate(task: Task) -> Pin<Box<dyn Future<Output = bool> + Send>> {
    Box::pin(async move {
        let app = task.app.clone();
        let (last, state) = task.with_retries().await;
        if let Err(error) = app.store.set_task_state(last.run_id, &state) {
            tracing::error!(%error, "cannot close an iteration");
        }
        state.result == Some(ResultState::Success)
    })
}
