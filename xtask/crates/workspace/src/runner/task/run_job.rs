//! `run_job_task`: runs another job and waits for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::work::{Ending, Task, TaskError};
use crate::access::{self, Act};
use crate::jobs::RunJob;
use crate::runner::interruption::{asked, until};
use crate::runner::parameters::{self, Context};
use crate::runner::queue::{cancel, wait_for_end};
use crate::runner::start::{Parameters, Request, run_job};
use crate::store::{Job, ResultState, Run};

pub(super) async fn run(task: &Task, declared: &RunJob) -> Result<Ending, TaskError> {
    let deadline = task.deadline();
    let child = start(task, declared)?;
    let mut cancelled = task.cancelled.clone();
    let early = tokio::select! {
        ended = wait_for_end(&task.app, child.run_id) => return report(task, ended?),
        () = until(deadline) => Ending::Timeout,
        () = asked(&mut cancelled) => Ending::Cancelled,
    };
    cancel(&task.app, &child)?;
    wait_for_end(&task.app, child.run_id).await?;
    Ok(early)
}

fn start(task: &Task, declared: &RunJob) -> Result<Run, TaskError> {
    let job_id = declared.job_id;
    let job = task.app.store.job(job_id)?.ok_or_else(|| {
        TaskError::Declared(format!(
            "task '{}' runs job {job_id}, which does not exist",
            task.task_run.task_key
        ))
    })?;
    if ancestors(task)?.contains(&job_id) {
        return Err(TaskError::Declared(format!(
            "task '{}' runs job {job_id}, which is waiting for this task",
            task.task_run.task_key
        )));
    }
    access::job(&task.call()?, job_id, Act::Run)
        .map_err(|refused| task.declared_wrong(refused.message))?;
    let job_parameters =
        task.resolve(|context| job_parameters(&declared.job_parameters, &job, context))?;
    let notebook_params =
        task.resolve(|context| parameters::map(&declared.notebook_params, context))?;
    task.begin(&json!(job_parameters))?;
    let request = Request {
        parameters: Parameters {
            job_parameters,
            notebook_params,
            ..Parameters::default()
        },
        creator: task.run.acts_as(&task.app.identity.user_name).to_owned(),
        parent_run_id: Some(task.run.run_id),
        ..Request::default()
    };
    let child = run_job(&task.app, job, request)?;
    task.app
        .store
        .set_started_run(task.task_run.run_id, child.run_id)?;
    Ok(child)
}

/// The task's parameters for the other job, overridden by those parameters of this job that the other job declares.
fn job_parameters(
    declared: &Map<String, Value>,
    job: &Job,
    context: &Context<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let own = parameters::map(declared, context)?;
    let known = job.settings.parameters.iter();
    let known: BTreeSet<&str> = known.map(|parameter| &*parameter.name).collect();
    let said: BTreeSet<String> = own.keys().cloned().collect();
    let mut given = context.pushed_down(own)?;
    given.retain(|name, _| known.contains(name.as_str()) || said.contains(name));
    Ok(given)
}

/// Jobs that wait for this task: its own, and those whose tasks started it.
fn ancestors(task: &Task) -> Result<BTreeSet<i64>, TaskError> {
    let mut jobs = BTreeSet::from([task.run.job_id]);
    let mut parent = task.run.parent_run_id;
    while let Some(run_id) = parent {
        let Some(run) = task.app.store.run(run_id)? else {
            break;
        };
        jobs.insert(run.job_id);
        parent = run.parent_run_id;
    }
    Ok(jobs)
}

fn report(task: &Task, ended: Option<Run>) -> Result<Ending, TaskError> {
    let Some(child) = ended else {
        task.fail_with("the run that this task started was deleted".to_owned())?;
        return Ok(Ending::Failed);
    };
    match child.state.result {
        Some(ResultState::Success | ResultState::SuccessWithFailures) => Ok(Ending::Success),
        Some(ResultState::Canceled) => Ok(Ending::Cancelled),
        result => {
            task.fail_with(format!(
                "run {} of job {} ended {}: {} ({})",
                child.run_id,
                child.job_id,
                result.map_or("without a result", ResultState::as_str),
                child.state.message,
                task.app.run_page_url(child.job_id, child.run_id),
            ))?;
            Ok(Ending::Failed)
        }
    }
}
