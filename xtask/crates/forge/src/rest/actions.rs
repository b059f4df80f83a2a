//! Workflows, their runs and jobs.

mod attempts;
mod dispatch;

pub(crate) use attempts::may_approve;

use axum::routing::{get, post};
use serde_json::json;

use super::logs;
use super::shapes::{job as job_shape, workflow as workflow_shape, workflow_run};
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::refusal::{Found as _, Refusal};
use crate::world::{CheckRun, Permission, Repo, Workflow, WorkflowRun};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/actions/workflows", get(to(workflows)))
        .route("/actions/workflows/{workflow}", get(to(one_workflow)))
        .route(
            "/actions/workflows/{workflow}/runs",
            get(to(runs_of_workflow)),
        )
        .route(
            "/actions/workflows/{workflow}/dispatches",
            post(to(dispatch::dispatch)),
        )
        .route("/actions/runs", get(to(runs)))
        .route("/actions/runs/{run}", get(to(one)))
        .route("/actions/runs/{run}/jobs", get(to(jobs)))
        .route(
            "/actions/runs/{run}/attempts/{attempt}/jobs",
            get(to(jobs_of_attempt)),
        )
        .route("/actions/runs/{run}/artifacts", get(to(artifacts)))
        .route("/actions/runs/{run}/rerun", post(to(attempts::rerun)))
        .route(
            "/actions/runs/{run}/rerun-failed-jobs",
            post(to(attempts::rerun_failed)),
        )
        .route("/actions/runs/{run}/cancel", post(to(attempts::cancel)))
        .route(
            "/actions/runs/{run}/pending_deployments",
            get(to(attempts::pending)).post(to(attempts::decide)),
        )
        .route("/actions/jobs/{job}", get(to(one_job)))
        .route("/actions/jobs/{job}/logs", get(to(logs::redirect)))
        .route("/actions/jobs/{job}/rerun", post(to(attempts::rerun_job)))
}

fn workflows(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let all = call.world.workflows.of(repo);
    Reply::page(call, Some("workflows"), all, |row| {
        Ok(workflow_shape(call, repo, row))
    })
}

/// By number or file name.
fn find_workflow<'c>(call: &'c Call, repo: &Repo) -> Result<&'c Workflow, Refusal> {
    let wanted = call.param("workflow");
    let fits = |workflow: &Workflow| {
        let file = workflow.path.rsplit('/').next();
        workflow.repo == repo.id
            && (workflow.id.to_string() == wanted
                || file == Some(wanted)
                || workflow.path == wanted)
    };
    call.world.workflows.find(fits).found()
}

fn one_workflow(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    Ok(Reply::json(workflow_shape(
        call,
        repo,
        find_workflow(call, repo)?,
    )))
}

fn runs(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    list_runs(call, repo, |_| true)
}

fn runs_of_workflow(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let workflow = find_workflow(call, repo)?.id;
    list_runs(call, repo, |run| run.workflow == workflow)
}

fn list_runs(call: &Call, repo: &Repo, wanted: impl Fn(&WorkflowRun) -> bool) -> Answer {
    let is = |name: &str, value: Option<&str>| {
        call.query(name).is_none_or(|wanted| Some(wanted) == value)
    };
    let fits = |run: &&WorkflowRun| {
        let (status, conclusion) = call.world.run_state(run);
        run.repo == repo.id
            && wanted(run)
            && is("head_sha", Some(&run.head_sha))
            && is("branch", run.head_branch.as_deref())
            && is("event", Some(&run.event))
            && is("actor", Some(call.world.login(run.actor)))
            && (is("status", Some(status)) || is("status", conclusion))
    };
    let all: Vec<&WorkflowRun> = call.world.runs.iter().rev().filter(fits).collect();
    Reply::page(call, Some("workflow_runs"), all, |run| {
        workflow_run(call, repo, run)
    })
}

fn find<'c>(call: &'c Call, repo: &Repo) -> Result<&'c WorkflowRun, Refusal> {
    call.row(&call.world.runs, "run", repo)
}

fn one(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    Ok(Reply::json(workflow_run(call, repo, find(call, repo)?)?))
}

fn jobs(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let run = find(call, repo)?;
    let all = match call.query("filter") {
        Some("all") => call
            .world
            .checks
            .iter()
            .filter(|job| job.run == Some(run.id))
            .collect(),
        _ => call.world.jobs_of(run, None),
    };
    list_jobs(call, repo, run, &all)
}

fn jobs_of_attempt(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let run = find(call, repo)?;
    let attempt = call.number("attempt")?;
    let all = call.world.jobs_of(run, u32::try_from(attempt).ok());
    list_jobs(call, repo, run, &all)
}

fn list_jobs(call: &Call, repo: &Repo, run: &WorkflowRun, jobs: &[&CheckRun]) -> Answer {
    Reply::page(call, Some("jobs"), jobs, |job| {
        Ok(job_shape(call, repo, run, job))
    })
}

fn find_job<'c>(call: &'c Call, repo: &Repo) -> Result<(&'c WorkflowRun, &'c CheckRun), Refusal> {
    let job = call.row(&call.world.checks, "job", repo)?;
    let run = job.run.and_then(|run| call.world.runs.get(run)).found()?;
    Ok((run, job))
}

fn one_job(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let (run, job) = find_job(call, repo)?;
    Ok(Reply::json(job_shape(call, repo, run, job)))
}

/// Artifacts are not stored.
fn artifacts(call: &Call) -> Answer {
    find(call, call.repo(Permission::Read)?)?;
    Ok(Reply::json(json!({"total_count": 0, "artifacts": []})))
}
