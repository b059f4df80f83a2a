//! Workflow runs, as reported by the program that executes workflows for the forge.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use xtask_local_server::state_dir::write_private;

use super::repo;
use crate::call::{Answer, Call, Reply};
use crate::clock::Time;
use crate::pull_requests::merge_what_waits;
use crate::refusal::{Found as _, Refusal};
use crate::rest::logs;
use crate::runs::{Beginning, begin};
use crate::world::{Annotation, CheckRun, Id, Step, Workflow, WorkflowRun, World};

/// A run that is starting or has ended.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRun {
    /// Created if missing.
    workflow: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default = "pull_request")]
    event: String,
    head_sha: String,
    #[serde(default)]
    head_branch: Option<String>,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    title: Option<String>,
    jobs: Vec<JobReport>,
}

fn pull_request() -> String {
    "pull_request".to_owned()
}

/// Missing fields stay unchanged.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct JobReport {
    name: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    seconds: Option<i64>,
    steps: Option<Vec<StepReport>>,
    log: Option<String>,
    annotations: Option<Vec<Annotation>>,
    title: Option<String>,
    summary: Option<String>,
    environment: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepReport {
    name: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    conclusion: Option<String>,
}

pub(super) fn create(call: &Call) -> Answer {
    let repo = repo(call)?;
    let new: NewRun = parse(call.json())?;
    let sha = call
        .forge
        .git
        .resolve(repo.id, &new.head_sha)
        .ok_or_else(|| Refusal::field("WorkflowRun", "head_sha", "invalid"))?;
    let actor = new
        .actor
        .as_deref()
        .and_then(|login| call.world.user_named(login))
        .map_or(repo.owner, |user| user.id);
    let subject = call
        .forge
        .git
        .commit(repo.id, &sha)?
        .message
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let branch = new.head_branch.clone().or_else(|| {
        repo.branches()
            .find(|(_, tip)| *tip == sha)
            .map(|(name, _)| name.to_owned())
    });
    let (run, jobs) = call.forge.change(|world| {
        let workflow = workflow(world, repo.id, &new);
        let title = new.title.clone().unwrap_or(subject);
        let run = begin(
            world,
            &Beginning {
                repo: repo.id,
                workflow,
                title: &|_| title.clone(),
                event: &new.event,
                head_sha: &sha,
                head_branch: branch,
                actor,
            },
        );
        let jobs: Result<Vec<Id>, Refusal> = new
            .jobs
            .iter()
            .map(|report| add_job(world, &run, report))
            .collect();
        Ok((run.id, jobs?))
    })?;
    for (id, report) in jobs.iter().zip(&new.jobs) {
        keep_log(call, *id, report)?;
    }
    merge_what_waits(&call.forge);
    Ok(Reply::created(json!({"run": run, "jobs": jobs})))
}

fn parse<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, Refusal> {
    serde_json::from_value(body.clone()).map_err(|error| Refusal::unprocessable(error.to_string()))
}

fn workflow(world: &mut World, repo: Id, new: &NewRun) -> Id {
    let known = world
        .workflows
        .find(|workflow| workflow.repo == repo && workflow.name == new.workflow);
    if let Some(known) = known {
        return known.id;
    }
    let id = world.next_id();
    let file = new
        .workflow
        .to_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let path = new
        .path
        .clone()
        .unwrap_or_else(|| format!(".github/workflows/{file}.yml"));
    let created_at = world.now();
    world.workflows.put(
        id,
        Workflow {
            id,
            repo,
            name: new.workflow.clone(),
            path,
            created_at,
        },
    );
    id
}

fn add_job(world: &mut World, run: &WorkflowRun, report: &JobReport) -> Result<Id, Refusal> {
    let id = world.next_id();
    let name = report
        .name
        .clone()
        .ok_or_else(|| Refusal::field("Job", "name", "missing_field"))?;
    let job = CheckRun {
        id,
        repo: run.repo,
        suite: run.suite,
        run: Some(run.id),
        attempt: run.attempt,
        name,
        head_sha: run.head_sha.clone(),
        status: "queued".to_owned(),
        external_id: format!("{:032x}", id),
        ..CheckRun::default()
    };
    world.checks.put(id, job);
    apply(world, id, report)?;
    Ok(id)
}

/// `POST runs/{run}/jobs`: adds jobs to a run, for example a dispatched one.
pub(super) fn add_jobs(call: &Call) -> Answer {
    let repo = repo(call)?;
    let run = call.world.runs.get(call.id("run")?);
    let run = run.filter(|run| run.repo == repo.id);
    let run = run.found()?.clone();
    let reports: Vec<JobReport> = parse(call.json())?;
    let jobs = call.forge.change(|world| {
        let jobs = reports.iter().map(|report| add_job(world, &run, report));
        jobs.collect::<Result<Vec<Id>, Refusal>>()
    })?;
    for (id, report) in jobs.iter().zip(&reports) {
        keep_log(call, *id, report)?;
    }
    Ok(Reply::created(json!({"run": run.id, "jobs": jobs})))
}

/// `POST jobs/{job}`: changes a job.
pub(super) fn update(call: &Call) -> Answer {
    let repo = repo(call)?;
    let id = call.id("job")?;
    let job = call.world.checks.get(id).filter(|job| job.repo == repo.id);
    let run = job.found()?.run;
    let report: JobReport = parse(call.json())?;
    // The log first, so that it is there when the job has ended.
    keep_log(call, id, &report)?;
    call.forge.change(|world| {
        let now = world.now();
        apply(world, id, &report)?;
        if let Some(run) = run.and_then(|run| world.runs.edit(run)) {
            run.updated_at = now;
        }
        Ok(())
    })?;
    merge_what_waits(&call.forge);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn keep_log(call: &Call, job: Id, report: &JobReport) -> Result<(), Refusal> {
    let Some(log) = &report.log else {
        return Ok(());
    };
    write_private(&logs::path(&call.forge, job), log.as_bytes())
        .map_err(|error| Refusal::internal(&error))
}

fn apply(world: &mut World, id: Id, report: &JobReport) -> Result<(), Refusal> {
    let now = world.now();
    let job = world.checks.edit(id).found()?;
    if let Some(name) = &report.name {
        job.name.clone_from(name);
    }
    let status = match (&report.status, &report.conclusion) {
        (Some(status), _) => Some(status.as_str()),
        (None, Some(_)) => Some("completed"),
        (None, None) => None,
    };
    if let Some(status) = status {
        job.status = status.to_owned();
        job.conclusion.clone_from(&report.conclusion);
    }
    let took = report.seconds.unwrap_or(0);
    if matches!(job.status.as_str(), "in_progress" | "completed") {
        job.started_at = match report.seconds {
            Some(_) => Some(now.plus(-took)),
            None => job.started_at.or(Some(now)),
        };
    }
    if job.status == "completed" {
        job.completed_at = Some(now);
    }
    let told = [
        (&report.title, &mut job.title),
        (&report.summary, &mut job.summary),
        (&report.environment, &mut job.environment),
    ];
    for (new, place) in told {
        if new.is_some() {
            place.clone_from(new);
        }
    }
    if let Some(annotations) = &report.annotations {
        job.annotations.clone_from(annotations);
    }
    let waits = job.environment.clone().filter(|_| job.status == "waiting");
    let (repo, run) = (job.repo, job.run);
    if let Some(steps) = &report.steps {
        job.steps = steps
            .iter()
            .zip(1..)
            .map(|(step, number)| step_of(step, number, job.started_at, job.completed_at))
            .collect();
    }
    if let (Some(name), Some(run)) = (waits, run) {
        wait_for(world, repo, run, &name);
    }
    Ok(())
}

/// Lets a run wait for the reviewers of an environment.
fn wait_for(world: &mut World, repo: Id, run: Id, name: &str) {
    let environment = world
        .environments
        .find(|row| row.repo == repo && row.name == name)
        .map(|row| row.id);
    if let (Some(environment), Some(run)) = (environment, world.runs.edit(run))
        && !run.waiting_for.contains(&environment)
    {
        run.waiting_for.push(environment);
    }
}

fn step_of(
    step: &StepReport,
    number: u32,
    started_at: Option<Time>,
    completed_at: Option<Time>,
) -> Step {
    let status = match (&step.status, &step.conclusion) {
        (Some(status), _) => status.as_str(),
        (None, Some(_)) => "completed",
        (None, None) => "queued",
    };
    Step {
        name: step.name.clone(),
        status: status.to_owned(),
        conclusion: step.conclusion.clone(),
        number,
        started_at: started_at.filter(|_| status != "queued"),
        completed_at: completed_at.filter(|_| status == "completed"),
    }
}

pub(super) fn dispatches(call: &Call) -> Answer {
    let repo = repo(call)?;
    let rows = call
        .world
        .dispatches
        .iter()
        .filter(|row| row.repo == repo.id);
    let shown = rows.map(|row| {
        let workflow = call.world.workflows.get(row.workflow);
        json!({
            "id": row.id,
            "workflow": workflow.map(|workflow| workflow.path.clone()),
            "ref": row.git_ref,
            "inputs": row.inputs,
            "actor": call.world.login(row.actor),
            "created_at": row.created_at.to_string(),
        })
    });
    Ok(Reply::json(shown.collect()))
}
