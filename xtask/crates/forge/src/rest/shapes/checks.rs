//! JSON of checks, statuses, workflow runs and their jobs.

use serde_json::{Value, json};

use super::{minimal_repo, simple_commit, user};
use crate::refusal::Refusal;
use crate::view::{View, node_id};
use crate::world::{
    Annotation, App, CheckRun, CheckSuite, Repo, Status, Verdict, Workflow, WorkflowRun,
};

fn app(view: &View, app: &App) -> Value {
    let created = view
        .world
        .repos
        .iter()
        .next()
        .map(|repo| repo.created_at)
        .unwrap_or_default()
        .to_string();
    json!({
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "owner": user(view, 0),
        "name": app.name,
        "description": "",
        "external_url": format!("{}/apps/{}", view.links.web, app.slug),
        "html_url": format!("{}/apps/{}", view.links.web, app.slug),
        "created_at": created,
        "updated_at": created,
        "permissions": {"checks": "write", "metadata": "read"},
        "events": [],
    })
}

/// Pull requests with this head, in short.
fn pulls_at(view: &View, repo: &Repo, sha: &str) -> Value {
    let side = |repo: &Repo, name: &str, sha: &str| json!({"ref": name, "sha": sha, "repo": {"id": repo.id, "url": view.repo_api(repo), "name": repo.name}});
    let pulls = view
        .world
        .pulls_of(repo.id)
        .filter(|pull| pull.open && pull.head_sha == sha && !pull.is_cross_repository());
    pulls
        .map(|pull| {
            json!({
                "id": pull.id,
                "number": pull.number,
                "url": format!("{}/pulls/{}", view.repo_api(repo), pull.number),
                "head": side(repo, &pull.head_ref, &pull.head_sha),
                "base": side(repo, &pull.base_ref, &pull.base_sha),
            })
        })
        .collect()
}

pub(crate) fn check_page(view: &View, repo: &Repo, check: &CheckRun) -> String {
    match check.run {
        Some(run) => view.job_page(repo, run, check.id),
        None => format!("{}/runs/{}", view.repo_page(repo), check.id),
    }
}

pub(crate) fn check_run(view: &View, repo: &Repo, check: &CheckRun) -> Value {
    let url = format!("{}/check-runs/{}", view.repo_api(repo), check.id);
    let page = check_page(view, repo, check);
    let suite = view.world.suites.get(check.suite);
    let actions = App::actions();
    json!({
        "id": check.id,
        "name": check.name,
        "node_id": node_id("CR", check.id),
        "head_sha": check.head_sha,
        "external_id": check.external_id,
        "url": url,
        "html_url": page,
        "details_url": check.details_url.clone().unwrap_or(page),
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": check.started_at.map(|at| at.to_string()),
        "completed_at": check.completed_at.map(|at| at.to_string()),
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": check.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": {"id": check.suite},
        "app": app(view, suite.map_or(&actions, |suite| &suite.app)),
        "pull_requests": pulls_at(view, repo, &check.head_sha),
    })
}

pub(crate) fn check_suite(view: &View, repo: &Repo, suite: &CheckSuite) -> Result<Value, Refusal> {
    let checks = view.world.checks_of(repo.id, &suite.head_sha);
    let checks: Vec<&CheckRun> = checks
        .into_iter()
        .filter(|check| check.suite == suite.id)
        .collect();
    let (status, conclusion) = suite_state(&checks);
    let url = format!("{}/check-suites/{}", view.repo_api(repo), suite.id);
    Ok(json!({
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": null,
        "after": suite.head_sha,
        "pull_requests": pulls_at(view, repo, &suite.head_sha),
        "app": app(view, &suite.app),
        "repository": minimal_repo(view, repo),
        "created_at": suite.created_at.to_string(),
        "updated_at": suite.created_at.to_string(),
        "head_commit": simple_commit(&view.forge, repo, &suite.head_sha)?,
        "latest_check_runs_count": checks.len(),
        "check_runs_url": format!("{url}/check-runs"),
    }))
}

/// Status and conclusion, from the check runs.
pub(crate) fn suite_state(checks: &[&CheckRun]) -> (&'static str, Option<&'static str>) {
    if checks.is_empty() || checks.iter().all(|check| check.status == "queued") {
        return ("queued", None);
    }
    if checks
        .iter()
        .any(|check| check.verdict() == Verdict::Pending)
    {
        return ("in_progress", None);
    }
    match checks
        .iter()
        .any(|check| check.verdict() == Verdict::Failed)
    {
        true => ("completed", Some("failure")),
        false => ("completed", Some("success")),
    }
}

pub(crate) fn annotation(
    view: &View,
    repo: &Repo,
    check: &CheckRun,
    annotation: &Annotation,
) -> Value {
    json!({
        "path": annotation.path,
        "blob_href": format!("{}/contents/{}?ref={}", view.repo_api(repo), annotation.path, check.head_sha),
        "start_line": annotation.start_line,
        "start_column": null,
        "end_line": annotation.end_line,
        "end_column": null,
        "annotation_level": annotation.annotation_level,
        "title": annotation.title,
        "message": annotation.message,
        "raw_details": annotation.raw_details,
    })
}

pub(crate) fn status(view: &View, repo: &Repo, status: &Status) -> Value {
    let mut shown = simple_status(view, repo, status);
    shown["creator"] = user(view, status.creator);
    shown
}

/// Inside a combined status.
pub(crate) fn simple_status(view: &View, repo: &Repo, status: &Status) -> Value {
    json!({
        "url": format!("{}/statuses/{}", view.repo_api(repo), status.sha),
        "avatar_url": format!("{}/{}.png", view.links.web, view.world.login(status.creator)),
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": status.created_at.to_string(),
        "updated_at": status.created_at.to_string(),
    })
}

pub(crate) fn workflow(view: &View, repo: &Repo, workflow: &Workflow) -> Value {
    let page = view.repo_page(repo);
    json!({
        "id": workflow.id,
        "node_id": node_id("W", workflow.id),
        "name": workflow.name,
        "path": workflow.path,
        "state": "active",
        "created_at": workflow.created_at.to_string(),
        "updated_at": workflow.created_at.to_string(),
        "url": format!("{}/actions/workflows/{}", view.repo_api(repo), workflow.id),
        "html_url": format!("{page}/blob/{}/{}", repo.default_branch, workflow.path),
        "badge_url": format!("{page}/workflows/{}/badge.svg", super::path_in_url(&workflow.name)),
    })
}

pub(crate) fn workflow_run(view: &View, repo: &Repo, run: &WorkflowRun) -> Result<Value, Refusal> {
    let api = view.repo_api(repo);
    let url = format!("{api}/actions/runs/{}", run.id);
    let (status, conclusion) = view.world.run_state(run);
    let workflow = view.world.workflows.get(run.workflow);
    Ok(json!({
        "id": run.id,
        "name": workflow.map(|workflow| workflow.name.clone()),
        "node_id": node_id("WFR", run.id),
        "check_suite_id": run.suite,
        "check_suite_node_id": node_id("CS", run.suite),
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": workflow.map(|workflow| workflow.path.clone()).unwrap_or_default(),
        "display_title": run.title,
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": run.workflow,
        "url": url,
        "html_url": format!("{}/actions/runs/{}", view.repo_page(repo), run.id),
        "pull_requests": pulls_at(view, repo, &run.head_sha),
        "created_at": run.created_at.to_string(),
        "updated_at": run.updated_at.to_string(),
        "run_started_at": run.started_at.to_string(),
        "actor": user(view, run.actor),
        "triggering_actor": user(view, run.actor),
        "jobs_url": format!("{url}/jobs"),
        "logs_url": format!("{url}/logs"),
        "check_suite_url": format!("{api}/check-suites/{}", run.suite),
        "artifacts_url": format!("{url}/artifacts"),
        "cancel_url": format!("{url}/cancel"),
        "rerun_url": format!("{url}/rerun"),
        "previous_attempt_url": null,
        "workflow_url": format!("{api}/actions/workflows/{}", run.workflow),
        "head_commit": simple_commit(&view.forge, repo, &run.head_sha)?,
        "repository": minimal_repo(view, repo),
        "head_repository": minimal_repo(view, repo),
    }))
}

pub(crate) fn job(view: &View, repo: &Repo, run: &WorkflowRun, job: &CheckRun) -> Value {
    let api = view.repo_api(repo);
    let steps = job.steps.iter().map(|step| {
        json!({
            "name": step.name,
            "status": step.status,
            "conclusion": step.conclusion,
            "number": step.number,
            "started_at": step.started_at.map(|at| at.to_string()),
            "completed_at": step.completed_at.map(|at| at.to_string()),
        })
    });
    json!({
        "id": job.id,
        "run_id": run.id,
        "run_url": format!("{api}/actions/runs/{}", run.id),
        "run_attempt": job.attempt,
        "node_id": node_id("CR", job.id),
        "head_sha": job.head_sha,
        "head_branch": run.head_branch,
        "url": format!("{api}/actions/jobs/{}", job.id),
        "html_url": view.job_page(repo, run.id, job.id),
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": job.started_at.unwrap_or(run.started_at).to_string(),
        "started_at": job.started_at.unwrap_or(run.started_at).to_string(),
        "completed_at": job.completed_at.map(|at| at.to_string()),
        "name": job.name,
        "steps": steps.collect::<Value>(),
        "check_run_url": format!("{api}/check-runs/{}", job.id),
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "local",
        "runner_group_id": 1,
        "runner_group_name": "Default",
        "workflow_name": view.world.workflows.get(run.workflow).map(|workflow| workflow.name.clone()),
    })
}
