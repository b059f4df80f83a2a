//! The integration test: deploy, upload data, train, follow, and resolve what the run made.

use std::collections::BTreeMap;

use xtask_remote::databricks::jobs::{self, Run};

use super::code::Code;
use super::inputs::{self, Work};
use crate::commands::{data, run};
use crate::context::Context;
use crate::databricks::{Summary, Target, Writer};
use crate::fingerprint::remember;
use crate::lineage::ModelRegistry;
use crate::results::{Integration, JobRun, Task, Verdict};
use crate::tools::Toolbox;
use crate::{deployment, follow, python, task_failures};

/// The bundle as it is deployed.
pub(super) struct Prepared {
    summary: Summary,
    code: Code,
}

/// Deploys the bundle and puts the data sets in place.
pub(super) fn prepare(
    context: &Context,
    toolbox: &Toolbox,
    writer: &Writer<'_, '_>,
    commit: Option<&str>,
) -> anyhow::Result<Prepared> {
    let (data_sets, deployed) = std::thread::scope(|scope| {
        let making = scope.spawn(|| python::data_sets(context, toolbox, &[]));
        let deployed = deployment::of_the_checkout(context, writer);
        let made = making
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("making the data sets ended unexpectedly")));
        (made, deployed)
    });
    deployed?;
    let summary = writer.target().summary()?;
    let code = Code::read(&*writer.transport(), &summary)?;
    code.is_of(commit, writer.target())?;
    deployment::link(context, writer, &summary, &code.source);
    data::upload(context, writer, &summary, &data_sets?)?;
    Ok(Prepared { summary, code })
}

/// Runs the training job, and resolves what it made. The error is the job's own, not ours.
pub(super) fn train(
    context: &Context,
    writer: &Writer<'_, '_>,
    prepared: &Prepared,
    work: &Work<Integration>,
) -> anyhow::Result<(Integration, Option<anyhow::Error>)> {
    let (target, summary) = (writer.target(), &prepared.summary);
    let transport = writer.transport();
    let registry = ModelRegistry::new(context, target, &*transport, summary);
    let before = registry.champion()?;
    let job = &context.config.jobs.train;
    let (run_id, _) = run::start(context, writer, summary, job, &BTreeMap::new())?;
    let run = follow::to_the_end(context, &*transport, run_id, target.local.is_some())?;
    let failures = task_failures::of_run(&*transport, &run);
    let mut result = result(target, &run, &failures).with(registry.follow(&run, before)?);
    let now = Code::read(&*transport, summary)?;
    if now != prepared.code {
        result.verdict = Verdict::Failed;
        let error = prepared.code.replaced_by(&now, target, run_id);
        return Ok((result, Some(error)));
    }
    if run.state.is_success() {
        let inputs = inputs::settle(context, &work.inputs, &target.name);
        remember(
            &work.memory,
            &inputs,
            &Integration {
                cached: true,
                ..result.clone()
            },
        )?;
        return Ok((result, None));
    }
    let again = match target.name == context.config.test.integration_target {
        true => "cargo xtask test integration".to_owned(),
        false => format!("cargo xtask test integration --target {}", target.name),
    };
    let error = failures.into_error::<()>(&run, Some(&again)).err();
    Ok((result, error))
}

fn result(target: &Target<'_>, run: &Run, failures: &task_failures::TaskFailures) -> Integration {
    let task = |task: &jobs::Task| Task {
        failure: failures.of(&task.task_key),
        seconds: follow::duration(task).unwrap_or_default().as_secs_f64(),
        result: task.state.word().to_owned(),
        run_id: task.run_id,
        key: task.task_key.clone(),
    };
    Integration {
        verdict: if run.state.is_success() {
            Verdict::Passed
        } else {
            Verdict::Failed
        },
        cached: false,
        target: target.name.clone(),
        job_run: JobRun {
            run_id: run.run_id,
            url: run.run_page_url.clone(),
            result: run.state.word().to_owned(),
        },
        tasks: run.tasks.iter().map(task).collect(),
        mlflow_run: None,
        model: None,
        champion_before: None,
    }
}
