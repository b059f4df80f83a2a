//! Re-run, cancel, and approval of deployments.

use axum::http::StatusCode;
use serde_json::json;

use super::super::shapes::user;
use super::{find, find_job};
use crate::call::{Answer, Call, Reply};
use crate::refusal::{Found as _, Refusal};
use crate::world::{CheckRun, Environment, Id, Permission, Verdict, WorkflowRun};

pub(super) fn rerun(call: &Call) -> Answer {
    let run = find(call, call.repo(Permission::Write)?)?;
    again(call, run, |_| true)
}

pub(super) fn rerun_failed(call: &Call) -> Answer {
    let run = find(call, call.repo(Permission::Write)?)?;
    let failed = |job: &CheckRun| job.verdict() == Verdict::Failed;
    if !call.world.jobs_of(run, None).into_iter().any(failed) {
        return Err(Refusal::forbidden(
            "This workflow run has no failed jobs that could be rerun",
        ));
    }
    again(call, run, failed)
}

pub(super) fn rerun_job(call: &Call) -> Answer {
    let (run, job) = find_job(call, call.repo(Permission::Write)?)?;
    again(call, run, |other| other.id == job.id)
}

/// Starts another attempt with new jobs for those that `wanted` selects.
fn again(call: &Call, run: &WorkflowRun, wanted: impl Fn(&CheckRun) -> bool) -> Answer {
    let (status, _) = call.world.run_state(run);
    if status != "completed" {
        return Err(Refusal::forbidden(
            "The workflow run containing this job is already running",
        ));
    }
    call.forge.change(|world| {
        let now = world.now();
        let jobs: Vec<CheckRun> = world
            .jobs_of(run, None)
            .into_iter()
            .filter(|job| wanted(job))
            .cloned()
            .collect();
        let attempt = run.attempt + 1;
        for job in jobs {
            let id = world.next_id();
            let fresh = CheckRun {
                id,
                attempt,
                status: "queued".to_owned(),
                conclusion: None,
                started_at: None,
                completed_at: None,
                title: None,
                summary: None,
                text: None,
                annotations: Vec::new(),
                steps: Vec::new(),
                ..job
            };
            world.checks.put(id, fresh);
        }
        let run = world.runs.edit(run.id).found()?;
        run.attempt = attempt;
        run.updated_at = now;
        run.started_at = now;
        Ok(())
    })?;
    Ok(Reply::created(json!({})))
}

pub(super) fn cancel(call: &Call) -> Answer {
    let run = find(call, call.repo(Permission::Write)?)?;
    if call.world.run_state(run).0 == "completed" {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "Cannot cancel a workflow run that is completed.",
        ));
    }
    call.forge.change(|world| {
        let now = world.now();
        let open: Vec<Id> = world
            .jobs_of(run, None)
            .into_iter()
            .filter(|job| job.status != "completed")
            .map(|job| job.id)
            .collect();
        for id in open {
            if let Some(job) = world.checks.edit(id) {
                job.status = "completed".to_owned();
                job.conclusion = Some("cancelled".to_owned());
                job.completed_at = Some(now);
            }
        }
        let run = world.runs.edit(run.id).found()?;
        run.cancelled = true;
        run.waiting_for.clear();
        run.updated_at = now;
        Ok(())
    })?;
    Ok(Reply::with(StatusCode::ACCEPTED, json!({})))
}

pub(super) fn pending(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let run = find(call, repo)?;
    let asker = call.user()?;
    let waiting = run
        .waiting_for
        .iter()
        .filter_map(|id| call.world.environments.get(*id));
    let api = call.repo_api(repo);
    let shown = waiting.map(|environment: &Environment| {
        let reviewers = environment.reviewers.iter().map(|id| json!({"type": "User", "reviewer": user(call, *id)}));
        json!({
            "environment": {
                "id": environment.id,
                "node_id": crate::view::node_id("EN", environment.id),
                "name": environment.name,
                "url": format!("{api}/environments/{}", environment.name),
                "html_url": format!("{}/deployments/activity_log?environments_filter={}", call.repo_page(repo), environment.name),
            },
            "wait_timer": environment.wait_timer,
            "wait_timer_started_at": run.created_at.to_string(),
            "current_user_can_approve": may_approve(environment, run, asker),
            "reviewers": reviewers.collect::<Vec<_>>(),
        })
    });
    Ok(Reply::json(shown.collect()))
}

/// Whether a user may approve a run's deployment to an environment.
pub(crate) fn may_approve(environment: &Environment, run: &WorkflowRun, who: Id) -> bool {
    environment.reviewers.contains(&who) && !(environment.prevent_self_review && run.actor == who)
}

pub(super) fn decide(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let run = find(call, repo)?;
    let fields = call.fields();
    let approved = fields.one_of("state", &["approved", "rejected"])? == Some("approved");
    fields.required("comment")?;
    let ids = fields
        .any("environment_ids")
        .and_then(|ids| ids.as_array())
        .cloned()
        .unwrap_or_default();
    let ids: Vec<Id> = ids.iter().filter_map(serde_json::Value::as_i64).collect();
    let who = call.user()?;
    let wanted = |id: &Id| {
        call.world
            .environments
            .get(*id)
            .is_some_and(|environment| may_approve(environment, run, who))
    };
    if ids.is_empty()
        || !ids
            .iter()
            .all(|id| run.waiting_for.contains(id) && wanted(id))
    {
        return Err(Refusal::unprocessable(
            "There are no pending deployments that you can approve or reject",
        ));
    }
    call.forge.change(|world| {
        let row = world.runs.edit(run.id).found()?;
        row.waiting_for.retain(|id| !ids.contains(id));
        let names: Vec<String> = ids
            .iter()
            .filter_map(|id| world.environments.get(*id))
            .map(|row| row.name.clone())
            .collect();
        let now = world.now();
        let waiting = |job: &&CheckRun| {
            job.status == "waiting"
                && job
                    .environment
                    .as_ref()
                    .is_some_and(|name| names.contains(name))
        };
        let jobs: Vec<Id> = world
            .jobs_of(run, None)
            .into_iter()
            .filter(waiting)
            .map(|job| job.id)
            .collect();
        for id in jobs {
            if let Some(job) = world.checks.edit(id) {
                job.status = if approved { "queued" } else { "completed" }.to_owned();
                job.conclusion = (!approved).then(|| "failure".to_owned());
                job.completed_at = (!approved).then_some(now);
            }
        }
        Ok(())
    })?;
    Ok(Reply::json(json!([])))
}
