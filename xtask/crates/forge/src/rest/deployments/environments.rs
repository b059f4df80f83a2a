//! Environments.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::shapes::user;
use crate::call::{Answer, Call, Fields, Reply};
use crate::refusal::{Found as _, Refusal};
use crate::view::{View, node_id};
use crate::world::{BranchPolicy, Environment, Id, Permission, Repo, World};

pub(super) fn make_environment(world: &mut World, repo: Id, name: &str) -> Id {
    let known = world
        .environments
        .find(|row| row.repo == repo && row.name == name)
        .map(|row| row.id);
    known.unwrap_or_else(|| {
        let (id, now) = (world.next_id(), world.now());
        world.environments.put(
            id,
            Environment {
                id,
                repo,
                name: name.to_owned(),
                wait_timer: 0,
                prevent_self_review: false,
                reviewers: Vec::new(),
                branch_policy: None,
                created_at: now,
                updated_at: now,
            },
        );
        id
    })
}

fn shown_environment(view: &View, repo: &Repo, row: &Environment) -> Value {
    let mut rules = Vec::new();
    if row.wait_timer > 0 {
        rules.push(json!({"id": row.id * 10, "node_id": node_id("GA", row.id * 10), "type": "wait_timer", "wait_timer": row.wait_timer}));
    }
    if !row.reviewers.is_empty() {
        let reviewers: Value = row
            .reviewers
            .iter()
            .map(|id| json!({"type": "User", "reviewer": user(view, *id)}))
            .collect();
        rules.push(json!({
            "id": row.id * 10 + 1,
            "node_id": node_id("GA", row.id * 10 + 1),
            "type": "required_reviewers",
            "prevent_self_review": row.prevent_self_review,
            "reviewers": reviewers,
        }));
    }
    if row.branch_policy.is_some() {
        rules.push(json!({"id": row.id * 10 + 2, "node_id": node_id("GA", row.id * 10 + 2), "type": "branch_policy"}));
    }
    json!({
        "id": row.id,
        "node_id": node_id("EN", row.id),
        "name": row.name,
        "url": format!("{}/environments/{}", view.repo_api(repo), row.name),
        "html_url": format!("{}/deployments/activity_log?environments_filter={}", view.repo_page(repo), row.name),
        "created_at": row.created_at.to_string(),
        "updated_at": row.updated_at.to_string(),
        "protection_rules": rules,
        "deployment_branch_policy": row.branch_policy.map(|policy| json!({
            "protected_branches": policy.protected_branches, "custom_branch_policies": policy.custom_branch_policies,
        })),
    })
}

pub(super) fn environments(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let all = call.world.environments.of(repo);
    Reply::page(call, Some("environments"), all, |row| {
        Ok(shown_environment(call, repo, row))
    })
}

pub(super) fn environment(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    environment_now(call, repo, call.param("name"))
}

fn environment_now(view: &View, repo: &Repo, name: &str) -> Answer {
    let mut known = view.world.environments.iter();
    let row = known.find(|row| row.repo == repo.id && row.name == name);
    Ok(Reply::json(shown_environment(view, repo, row.found()?)))
}

pub(super) fn keep_environment(call: &Call) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let fields = call.fields();
    let wait_timer = fields
        .number("wait_timer")?
        .and_then(|minutes| u32::try_from(minutes).ok())
        .unwrap_or(0);
    let prevent_self_review = fields.flag("prevent_self_review")?.unwrap_or(false);
    let reviewer = |fields: &Fields<'_>| {
        fields
            .number("id")?
            .ok_or_else(|| Refusal::field("Environment", "reviewers", "invalid"))
    };
    let reviewers = fields
        .objects("reviewers")?
        .iter()
        .map(reviewer)
        .collect::<Result<Vec<Id>, Refusal>>()?;
    let policy = |fields: Fields<'_>| {
        Ok::<_, Refusal>(BranchPolicy {
            protected_branches: fields.flag("protected_branches")?.unwrap_or(false),
            custom_branch_policies: fields.flag("custom_branch_policies")?.unwrap_or(false),
        })
    };
    let branch_policy = fields
        .object("deployment_branch_policy")?
        .map(policy)
        .transpose()?;
    call.forge.change(|world| {
        let id = make_environment(world, repo.id, call.param("name"));
        let now = world.now();
        let row = world.environments.edit(id).found()?;
        row.wait_timer = wait_timer;
        row.prevent_self_review = prevent_self_review;
        row.reviewers = reviewers;
        row.branch_policy = branch_policy;
        row.updated_at = now;
        Ok(())
    })?;
    environment_now(&call.now(), repo, call.param("name"))
}

pub(super) fn remove_environment(call: &Call) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let row = call
        .world
        .environments
        .find(|row| row.repo == repo.id && row.name == call.param("name"));
    let id = row.found()?.id;
    call.forge.change(|world| {
        world.environments.remove(id);
        Ok(())
    })?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
