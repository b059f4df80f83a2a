//! Deployments and environments.

mod environments;

use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::commits::commit_named;
use super::shapes::user;
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::refusal::{Found as _, Refusal};
use crate::view::{View, node_id};
use crate::world::{Deployment, DeploymentStatus, Id, Permission, Repo, Verdict, World};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/deployments", get(to(list)).post(to(create)))
        .route("/deployments/{deployment}", get(to(one)))
        .route(
            "/deployments/{deployment}/statuses",
            get(to(statuses)).post(to(add_status)),
        )
        .route("/environments", get(to(environments::environments)))
        .route(
            "/environments/{name}",
            get(to(environments::environment))
                .put(to(environments::keep_environment))
                .delete(to(environments::remove_environment)),
        )
}

const STATES: &[&str] = &[
    "error",
    "failure",
    "inactive",
    "in_progress",
    "queued",
    "pending",
    "success",
];

fn shown(view: &View, repo: &Repo, row: &Deployment) -> Value {
    let api = view.repo_api(repo);
    let url = format!("{api}/deployments/{}", row.id);
    json!({
        "id": row.id,
        "node_id": node_id("DE", row.id),
        "url": url,
        "sha": row.sha,
        "ref": row.git_ref,
        "task": row.task,
        "payload": row.payload,
        "original_environment": row.environment,
        "environment": row.environment,
        "description": row.description,
        "creator": user(view, row.creator),
        "created_at": row.created_at.to_string(),
        "updated_at": row.updated_at.to_string(),
        "statuses_url": format!("{url}/statuses"),
        "repository_url": api,
        "transient_environment": row.transient,
        "production_environment": row.production,
    })
}

fn shown_status(view: &View, repo: &Repo, row: &Deployment, status: &DeploymentStatus) -> Value {
    let api = view.repo_api(repo);
    let url = format!("{api}/deployments/{}", row.id);
    json!({
        "id": status.id,
        "node_id": node_id("DES", status.id),
        "url": format!("{url}/statuses/{}", status.id),
        "state": status.state,
        "creator": user(view, status.creator),
        "description": status.description,
        "environment": row.environment,
        "target_url": status.log_url,
        "log_url": status.log_url,
        "environment_url": status.environment_url,
        "created_at": status.created_at.to_string(),
        "updated_at": status.created_at.to_string(),
        "deployment_url": url,
        "repository_url": api,
    })
}

fn list(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let is = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == value);
    let fits = |row: &&Deployment| {
        row.repo == repo.id
            && is("sha", &row.sha)
            && is("ref", &row.git_ref)
            && is("task", &row.task)
            && is("environment", &row.environment)
    };
    let all: Vec<&Deployment> = call.world.deployments.iter().rev().filter(fits).collect();
    Reply::page(call, None, all, |row| Ok(shown(call, repo, row)))
}

fn create(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let fields = call.fields();
    let git_ref = fields.required("ref")?.to_owned();
    let sha = commit_named(call, repo, &git_ref)
        .map_err(|_| Refusal::unprocessable(format!("No ref found for: {git_ref}")))?;
    let contexts = fields
        .any("required_contexts")
        .is_some()
        .then(|| fields.texts("required_contexts"))
        .transpose()?;
    if let Some(refusal) = unready(&call.world, repo, &sha, contexts.as_deref()) {
        return Err(refusal);
    }
    let environment = fields
        .text("environment")?
        .unwrap_or("production")
        .to_owned();
    let row = Deployment {
        id: 0,
        repo: repo.id,
        sha,
        git_ref,
        task: fields.text("task")?.unwrap_or("deploy").to_owned(),
        description: fields.text("description")?.map(str::to_owned),
        payload: fields.any("payload").cloned().unwrap_or_else(|| json!({})),
        transient: fields.flag("transient_environment")?.unwrap_or(false),
        production: fields
            .flag("production_environment")?
            .unwrap_or(environment == "production"),
        environment,
        creator: call.user()?,
        created_at: call.world.now(),
        updated_at: call.world.now(),
        statuses: Vec::new(),
    };
    let row = call.forge.change(|world| {
        let row = Deployment {
            id: world.next_id(),
            ..row
        };
        environments::make_environment(world, repo.id, &row.environment);
        world.deployments.put(row.id, row.clone());
        Ok(row)
    })?;
    Ok(Reply::created(shown(call, repo, &row)))
}

/// Without a list, every check and status must have succeeded; with a list, those in it.
fn unready(world: &World, repo: &Repo, sha: &str, contexts: Option<&[String]>) -> Option<Refusal> {
    let ready = match contexts {
        None => matches!(world.verdict(repo.id, sha), None | Some(Verdict::Passed)),
        Some(names) => names
            .iter()
            .all(|name| world.verdict_named(repo.id, sha, name) == Some(Verdict::Passed)),
    };
    let message = format!(
        "Conflict: Commit status checks failed for {}.",
        &sha[..7.min(sha.len())]
    );
    (!ready).then(|| Refusal::new(StatusCode::CONFLICT, message))
}

fn find<'c>(call: &'c Call, repo: &Repo) -> Result<&'c Deployment, Refusal> {
    call.row(&call.world.deployments, "deployment", repo)
}

fn one(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    Ok(Reply::json(shown(call, repo, find(call, repo)?)))
}

fn statuses(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let row = find(call, repo)?;
    let all: Vec<&DeploymentStatus> = row.statuses.iter().rev().collect();
    Reply::page(call, None, all, |status| {
        Ok(shown_status(call, repo, row, status))
    })
}

fn add_status(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let id = find(call, repo)?.id;
    let fields = call.fields();
    let state = fields.one_of("state", STATES)?;
    let state = state
        .ok_or_else(|| Refusal::unprocessable("Invalid request.\n\n\"state\" wasn't supplied."))?
        .to_owned();
    let text = |name: &str| {
        fields
            .text(name)
            .map(|text| text.unwrap_or_default().to_owned())
    };
    let log_url = match text("log_url")? {
        url if url.is_empty() => text("target_url")?,
        url => url,
    };
    let (description, environment_url) = (text("description")?, text("environment_url")?);
    let inactive = fields.flag("auto_inactive")?.unwrap_or(true) && state == "success";
    let creator = call.user()?;
    let status = call.forge.change(|world| {
        let created_at = world.now();
        let status = DeploymentStatus {
            id: world.next_id(),
            state,
            description,
            log_url,
            environment_url,
            creator,
            created_at,
        };
        let row = world.deployments.edit(id).found()?;
        row.statuses.push(status.clone());
        row.updated_at = created_at;
        let environment = row.environment.clone();
        if inactive {
            retire_others(world, repo.id, id, &environment, creator);
        }
        Ok(status)
    })?;
    let now = call.now();
    let row = now.world.deployments.get(id).found()?;
    Ok(Reply::created(shown_status(&now, repo, row, &status)))
}

/// An environment has one active deployment.
fn retire_others(world: &mut World, repo: Id, kept: Id, environment: &str, creator: Id) {
    let active = |row: &&Deployment| {
        row.repo == repo
            && row.id != kept
            && row.environment == environment
            && row
                .statuses
                .last()
                .is_some_and(|last| last.state == "success")
    };
    let others: Vec<Id> = world
        .deployments
        .iter()
        .filter(active)
        .map(|row| row.id)
        .collect();
    for other in others {
        let (id, created_at) = (world.next_id(), world.now());
        if let Some(row) = world.deployments.edit(other) {
            row.statuses.push(DeploymentStatus {
                id,
                state: "inactive".to_owned(),
                description: String::new(),
                log_url: String::new(),
                environment_url: String::new(),
                creator,
                created_at,
            });
        }
    }
}
